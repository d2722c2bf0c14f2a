"""What is known at a moment is what had happened by then: features and labels are the same whether the tables end there
or go on. Histories are generated: refunds and charges under an earlier order's id, lines added to an order, duplicates,
corrections, rows that stand where they did not happen, answers that come after what they answer."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.examples import Window
from features.tables import SPECS, Tables
from features.transforms import GROUPS
from features.views import SERVICES, service_of
from models import catalog
from models.churn.examples import churn_examples
from models.ltv.examples import value_examples

START = pd.Timestamp("2024-01-01")
HOUR = pd.Timedelta(hours=1)
#: Hours that histories last: some weeks, so that several cutoffs fit in.
HOURS = 24 * 56
WHO = ("ann", "bob", "cid", "dan", "eva", "fay", "gus", "hal", "ida", "joe", "kim", "leo")
CAMPAIGNS = ("4", "5", "6", "7", "8")
CREATIVES = ("red", "blue", "gold", "grey", "pink", "plum", "teal", "tan")
#: One example of many customers, campaigns or creatives is as good as several of few, and as quick as one.
EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=True,
)

# Half the rows share few hours of few days, so that lines of one order, refunds and duplicates meet.
moments = st.one_of(st.integers(0, HOURS), st.integers(0, 9).map(lambda n: 24 * 7 * (n // 2) + 8 * (n % 2)))


def maybe(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), one)


LINE = {
    "customer_id": st.sampled_from(WHO),
    "occurred_at": moments,
    "amount": st.sampled_from([-120.0, -20.0, 0.0, 5.0, 30.0, 140.0]),
    "quantity": maybe(st.sampled_from([1.0, 3.0])),
    "order_id": maybe(st.sampled_from(["a", "b"])),
    "category": maybe(st.sampled_from(["bread", "milk", "wine"])),
    "on_promotion": maybe(st.booleans()),
    "discount": maybe(st.sampled_from([0.0, 1.5])),
    "coupon_discount": maybe(st.sampled_from([0.0, 2.5])),
}
CONTACT = {
    "customer_id": st.sampled_from(WHO),
    "occurred_at": moments,
    "campaign_id": st.sampled_from(["spring", "summer"]),
    "channel": st.sampled_from(["email", "post"]),
    "ends_at": maybe(moments),
    "responded_at": maybe(moments),
}
MET = {
    "customer_id": st.sampled_from(WHO),
    "occurred_at": moments,
    "kind": st.sampled_from(SPECS["interactions"]["kind"].only),
    "value": maybe(st.sampled_from([1.0, 4.0, 9.0])),
}
# Two days, so that auctions of one day, won and lost, lie on both sides of a moment.
close = st.integers(0, 48)
AUCTION = {
    "campaign_id": st.sampled_from(CAMPAIGNS),
    "occurred_at": close,
    "channel": maybe(st.sampled_from(["web", "app"])),
    "market_price": st.sampled_from([1.0, 2.0, 4.0, 8.0]),
    "click": st.sampled_from([0.0, 1.0]),
    "predicted_ctr": st.sampled_from([0.1, 0.2, 0.4]),
    "conversion_value": st.sampled_from([0.0, 3.0]),
    "clicked_at": maybe(st.integers(0, 48)),
    "converted_at": maybe(st.integers(0, 500)),
    "won": st.sampled_from([0.0, 1.0]),
}
SHOWN = {
    "creative_id": st.sampled_from(CREATIVES),
    "occurred_at": moments,
    "campaign_id": maybe(st.sampled_from(["spring", "summer"])),
    "channel": maybe(st.sampled_from(["feed", "story"])),
    "impressions": st.sampled_from([10.0, 2000.0]),
    "clicks": st.sampled_from([0.0, 3.0, 10.0]),
    "conversions": maybe(st.sampled_from([0.0, 1.0, 5.0])),
    "spend": maybe(st.sampled_from([0.0, 2.5])),
}
lines, contacts, meets, bids, shows = map(st.fixed_dictionaries, (LINE, CONTACT, MET, AUCTION, SHOWN))


def of_customers(
    bought: list[dict[str, Any]], touched: list[dict[str, Any]], met: list[dict[str, Any]]
) -> dict[str, pd.DataFrame]:
    attributes = {
        "plan": ["gold", None, "basic"],
        "joined": pd.to_datetime(["2024-01-20", "2023-05-01", None]),
        "renews_at": pd.to_datetime(["2024-03-01", None, "2026-02-05"]),
    }
    times = len(WHO) // 3
    return {
        "customers": pd.DataFrame(
            {"customer_id": WHO, **{name: [*values] * times for name, values in attributes.items()}}
        ),
        "transactions": dated(bought, LINE, "occurred_at"),
        "touches": dated(touched, CONTACT, "occurred_at", "ends_at", "responded_at"),
        "interactions": dated(met, MET, "occurred_at"),
    }


def of_auctions(held: list[dict[str, Any]], columns: list[str]) -> dict[str, pd.DataFrame]:
    rows = dated(held, AUCTION, "occurred_at")
    for answer in ("clicked_at", "converted_at"):
        rows[answer] = rows["occurred_at"] + pd.to_timedelta(rows[answer].astype(float), unit="h")
    return {"auctions": rows.drop(columns=columns)}


def dated(rows: list[dict[str, Any]], form: dict[str, Any], *columns: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(form))
    for name in columns:
        frame[name] = START + pd.to_timedelta(frame[name].astype(float), unit="h")
    return frame


def at(hour: float) -> pd.Timestamp:
    return START + hour * HOUR


def both(
    given: dict[str, pd.DataFrame], end: pd.Timestamp, look: Callable[[Tables], pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `look` sees in all rows, and in those that had happened by `end`."""
    by_then = {
        name: frame[frame["occurred_at"] <= end] if "occurred_at" in frame else frame for name, frame in given.items()
    }
    return seen(given, look), seen(by_then, look)


def seen(given: dict[str, pd.DataFrame], look: Callable[[Tables], pd.DataFrame]) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in given.items():
            rows.to_parquet(Path(folder) / f"{name}.parquet", index=False, coerce_timestamps="us")
        return look(Tables(Path(folder)))


def features(service: str, *moments: pd.Timestamp) -> Callable[[Tables], pd.DataFrame]:
    of = service_of(service)
    entities = {"customer_id": WHO, "campaign_id": CAMPAIGNS, "creative_id": (*CREATIVES, "new")}[of.entity.key]
    spine = pd.DataFrame(
        [(one, moment) for one in entities for moment in moments], columns=[of.entity.key, "event_timestamp"]
    )

    def look(tables: Tables) -> pd.DataFrame:
        with of.entity.open_history(tables, spine) as db:
            keys = [of.entity.key, "event_timestamp"]
            frames = [db.sql(GROUPS[view].sql(tables)).df().set_index(keys).sort_index() for view in of.views]
        return pd.concat(frames, axis=1)

    return look


def same(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(*frames, check_dtype=False)


OF_CUSTOMERS = [name for name in SERVICES if service_of(name).entity.key == "customer_id"]


@EXAMPLES
@given(
    st.lists(lines, min_size=20, max_size=100), st.lists(contacts, max_size=32), st.lists(meets, max_size=64), moments
)
def test_features_of_customers_know_no_later_row(
    bought: list[Any], touched: list[Any], met: list[Any], hour: int
) -> None:
    tables = of_customers(bought + bought[:2], touched, met)
    for service in OF_CUSTOMERS[:1]:  # the services of customers read the same views
        same(both(tables, at(hour), features(service, at(hour), at(hour / 2))))


@EXAMPLES
@given(st.lists(bids, min_size=30, max_size=150), close, st.sampled_from([[], ["won"], ["clicked_at", "converted_at"]]))
def test_features_of_campaigns_know_no_later_auction(held: list[Any], hour: int, without: list[str]) -> None:
    same(both(of_auctions(held, without), at(hour), features("bidding_v1", at(hour), at(hour // 24 * 24))))


@EXAMPLES
@given(st.lists(shows, max_size=100), moments)
def test_features_of_creatives_know_no_later_day(shown: list[Any], hour: int) -> None:
    """Nor that their own day has begun: its counts are known when it is over."""
    rows = dated(shown, SHOWN, "occurred_at")
    attributes = {"campaign_id": [None, "spring", "summer"] * 3, "format": ["image", "video", None] * 3}
    tables = {"creatives": pd.DataFrame({"creative_id": [*CREATIVES, "new"], **attributes}), "impressions": rows}
    same(both(tables, at(hour // 24 * 24) - HOUR, features("creative_v1", at(hour), at(hour / 2))))


@EXAMPLES
@given(st.lists(lines, min_size=20, max_size=150), st.integers(24 * 21, HOURS - 24 * 7))
def test_labels_of_customers_know_nothing_beyond_their_horizon(bought: list[Any], hour: int) -> None:
    """At every cutoff that is planned when the tables end with the last horizon. The clock keeps the plan the same."""
    hour = hour // 24 * 24
    clock = {"customer_id": "clock", "amount": 1.0}
    told = [*bought, {**clock, "occurred_at": 0}, {**clock, "occurred_at": hour + 24 * 7}]
    params = SimpleNamespace(seed=1, window=Window(horizon_days=7, step_days=7, min_history_days=3))
    end = at(hour + 24 * 7)
    tables = of_customers(told, [], [])
    for examples in (churn_examples, value_examples):
        same(both(tables, end, lambda tables, of=examples: of(tables, params, as_of=str(end), cutoff=str(at(hour)))))


@EXAMPLES
@given(st.lists(bids, min_size=30, max_size=150), close, st.sampled_from([[], ["won"]]))
def test_examples_of_bidding_know_no_later_auction(held: list[Any], hour: int, without: list[str]) -> None:
    """All that an example holds, the estimated price of a lost auction among it."""
    from features import auctions

    same(both(of_auctions(held, without), at(hour), lambda tables: auctions.read(tables, str(at(hour)))))


def test_every_family_is_of_a_service_that_is_tested_here() -> None:
    tested = {service_of(service).views for service in (OF_CUSTOMERS[0], "bidding_v1", "creative_v1")}
    services = {catalog.family(name).feature_service for name in catalog.NAMES} - {None}
    assert {service_of(service).views for service in services} == tested


def one_look(rows: list[Any], at: str) -> pd.Series:
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount", "order_id"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"])
    tables = {"customers": pd.DataFrame({"customer_id": WHO}), "transactions": frame}
    return seen(tables, features("churn_v1", pd.Timestamp(at))).loc[("ann", pd.Timestamp(at))]


def test_a_refund_is_not_known_before_it_is_made() -> None:
    rows = [("ann", "2024-01-02 10:00", 140.0, "a"), ("ann", "2024-02-02 10:00", -100.0, "a")]
    before, after = one_look(rows, "2024-01-31"), one_look(rows, "2024-02-28")
    assert (before["monetary"], before["frequency"], before["returns"]) == (140, 1, 0)
    assert (after["monetary"], after["frequency"], after["returns"]) == (40, 1, 1)


def test_a_charge_a_month_under_one_id_is_a_purchase_a_month() -> None:
    rows = [("ann", f"2024-0{month}-05 09:00", 30.0, "plan") for month in (1, 2, 3, 4)]
    ann = one_look(rows, "2024-03-31")
    assert (ann["frequency"], ann["monetary"], ann["recency_days"]) == (3, 90, 25 + 15 / 24)


def test_lines_added_to_an_order_within_its_day_leave_it_one_purchase() -> None:
    rows = [
        ("ann", "2024-01-02 10:00", 100.0, "a"),
        ("ann", "2024-01-02 10:05", 20.0, "a"),
        ("ann", "2024-01-02 18:00", -90.0, "a"),
    ]
    looks = [one_look(rows, f"2024-01-{moment}") for moment in ("02 10:00", "02 12:00", "03")]
    assert [one["frequency"] for one in looks] == [1, 1, 1]
    assert [one["order_value"] for one in looks] == [100, 120, 30]
    assert [one["lines_per_order"] for one in looks] == [1, 2, 3]


def test_labels_count_each_charge_and_what_was_given_back_within_the_horizon() -> None:
    rows = [("ann", "2024-01-05", 30.0, "plan"), ("bob", "2024-01-05", 50.0, "b"), ("cid", "2024-01-06", 9.0, "c")]
    rows += [("ann", f"2024-02-{day:02}", 30.0, "plan") for day in (5, 12, 19)]
    rows += [("bob", "2024-02-06", 80.0, "b2"), ("bob", "2024-02-10", -30.0, "b2"), ("bob", "2024-04-20", -50.0, "b2")]
    rows += [("cid", "2024-02-03", -9.0, "c")]
    rows += [("clock", "2023-12-01", 1.0, "x"), ("clock", "2024-05-01", 1.0, "y")]
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount", "order_id"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"])
    tables = {"customers": pd.DataFrame({"customer_id": sorted(set(frame["customer_id"]))}), "transactions": frame}
    params = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=7, min_history_days=3))
    for examples, label, expected in (
        (churn_examples, "churned", {"ann": 0, "bob": 0, "cid": 1, "clock": 1}),
        (value_examples, "value", {"ann": 90.0, "bob": 50.0, "cid": 0.0, "clock": 0.0}),
    ):
        told = seen(tables, lambda at, of=examples: of(at, params, cutoff="2024-02-01"))
        test = told[told["split"] == "test"].set_index("customer_id")[label].to_dict()
        assert test == pytest.approx(expected)


def test_a_conversion_counts_from_when_it_came() -> None:
    held = {"campaign_id": "7", "occurred_at": 6, "market_price": 1.0, "click": 1.0, "predicted_ctr": 0.1}
    held |= {"conversion_value": 5.0, "channel": None, "won": 1.0, "clicked_at": 1, "converted_at": 72}
    tables = of_auctions([held], ["won"])
    looks = seen(tables, features("bidding_v1", at(24), at(96)))
    assert looks.loc["7", "conversion_rate"].tolist() == [0, 1]
