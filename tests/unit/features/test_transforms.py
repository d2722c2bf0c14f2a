"""Features by hand count, in the same types for every business, and blind to the future."""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from features.tables import Tables
from features.transforms import CAMPAIGN, CUSTOMER, GROUPS
from features.views import OBSERVED, SERVICES, TIMESTAMP, moving

ENTITY = "customer_id"
OF_CUSTOMERS = {view: GROUPS[view].sql for view in SERVICES["churn_v1"].views}
AT = "2024-03-01"


def features(tables: Tables, at: str = AT, who: list[str] | None = None) -> pd.DataFrame:
    """All groups side by side, a row a customer."""
    customers = who or pd.read_parquet(tables.path("customers"))[ENTITY].tolist()
    spine = pd.DataFrame({ENTITY: customers, TIMESTAMP: pd.Timestamp(at)})
    with CUSTOMER.open_history(tables, spine) as db:
        frames = [db.sql(sql(tables)).df().set_index(ENTITY) for sql in OF_CUSTOMERS.values()]
    return pd.concat([frame.drop(columns=[TIMESTAMP, OBSERVED]) for frame in frames], axis=1).loc[customers]


def test_recency_frequency_and_value_count_orders_and_not_lines(given: Callable[..., Tables]) -> None:
    line = {"order_id": "1", "category": "bread"}
    ann = features(
        given(
            [
                ("ann", "2024-01-01 10:00", 2.0, line),
                ("ann", "2024-01-01 10:00", 4.0, {**line, "category": "milk"}),
                ("ann", "2024-01-11 10:00", 10.0, {"order_id": "2", "category": "bread"}),
                ("ann", "2024-02-20 00:00", 20.0, {"order_id": "3", "category": "wine"}),
                ("ann", "2024-03-02", 99.0, {"order_id": "4", "category": "beer"}),
            ]
        )
    ).loc["ann"]
    assert ann["frequency"] == 3
    assert ann["recency_days"] == 10
    assert ann["monetary"] == 36
    assert ann["order_value"] == 12
    assert (ann["frequency_28d"], ann["spend_28d"], ann["spend_84d"]) == (1, 20, 36)
    assert (ann["categories"], ann["categories_28d"], ann["lines_per_order"]) == (3, 1, 4 / 3)
    assert ann["gap_mean_days"] == pytest.approx((10 + 39 + 14 / 24) / 2)
    assert ann["overdue"] == pytest.approx(10 / ann["gap_mean_days"])
    assert ann["first_purchase_month"] == 1


def test_returns_make_no_trend_of_their_own(given: Callable[..., Tables]) -> None:
    """A return of nearly all that was ever bought would leave next to nothing to divide by."""
    bought = [("ann", "2023-12-01", 100.0), ("ann", "2024-02-20", 60.0)]
    returned = [("ann", "2024-01-20", -79.9, {"order_id": "r"})]
    kept, sent_back = (features(given(lines)).loc["ann", "spend_trend_28d"] for lines in (bought, [*bought, *returned]))
    assert kept == sent_back == (60 + 80) / 80


def test_buy_till_you_die_statistics_count_days(given: Callable[..., Tables]) -> None:
    told = features(
        given(
            [
                ("ann", "2024-01-01 10:00", 6.0),
                ("ann", "2024-01-11 10:00", 10.0),
                ("ann", "2024-01-11 18:00", 5.0),
                ("ann", "2024-02-20", 20.0),
                ("bob", "2024-02-01", 7.0),
            ]
        )
    )
    columns = ["btyd_frequency", "btyd_recency", "btyd_age", "btyd_value"]
    assert told.loc["ann", columns].tolist() == [2, 50, 60, 17.5]
    bob = told.loc["bob", columns].tolist()
    assert bob[:3] == [0, 0, 29]
    assert np.isnan(bob[3])


def test_promotion_coupon_and_campaign_response(given: Callable[..., Tables]) -> None:
    def line(promoted: bool, coupon: float) -> dict[str, object]:
        return {"on_promotion": promoted, "discount": 1.0, "coupon_discount": coupon}

    touch = {"customer_id": "ann", "campaign_id": "spring", "ends_at": pd.Timestamp("2024-03-10")}
    ann = features(
        given(
            [("ann", "2024-02-01", 3.0, line(True, 0.5)), ("ann", "2024-02-02", 9.0, line(False, 0.0))],
            touches=[
                {**touch, "occurred_at": pd.Timestamp("2024-02-20"), "responded_at": pd.Timestamp("2024-02-25")},
                {**touch, "occurred_at": pd.Timestamp("2024-02-28"), "responded_at": pd.Timestamp("2024-03-05")},
                {**touch, "occurred_at": pd.Timestamp("2024-03-02"), "responded_at": None},
            ],
        )
    ).loc["ann"]
    assert ann["promotion_share"] == 0.25
    assert (ann["coupon_orders"], ann["coupon_recency_days"], ann["coupon_savings"]) == (1, 29, 0.5)
    assert (ann["touches"], ann["campaign_responses"], ann["campaigns_active"]) == (2, 1, 2)
    assert ann["touch_recency_days"] == 2


def test_attributes_keep_their_kind_and_dates_become_days(given: Callable[..., Tables]) -> None:
    customers = pd.DataFrame(
        {
            "customer_id": ["ann", "bob"],
            "churned": [True, False],
            "visits": [3, 4],
            "senior": [True, None],
            "plan": ["gold", None],
            "joined": [pd.Timestamp("2024-02-20"), pd.Timestamp("2024-03-20")],
        }
    )
    told = features(given(customers=customers.astype({"senior": "boolean"})))
    assert "churned" not in told
    assert told["visits"].tolist() == [3.0, 4.0]
    assert told["joined"].tolist()[0] == 10
    assert np.isnan(told["joined"].tolist()[1])  # not known yet
    assert (told.loc["ann", "senior"], told.loc["ann", "plan"]) == (True, "gold")


@pytest.mark.parametrize(
    "value", [[1.5, 2.0], [pd.Timestamp("2024-01-01")], ["a"], {"a": 1}, pd.Timedelta(days=2), b"x", Decimal("1.5")]
)
def test_an_attribute_of_any_type_is_a_feature(given: Callable[..., Tables], value: object) -> None:
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "thing": pd.Series([value, value], dtype=object)})
    told = features(given(customers=customers))
    assert told["thing"].notna().all() and isinstance(told["thing"].iloc[0], str | float)


def test_absent_tables_give_nulls_of_the_same_types(given: Callable[..., Tables], shop: Tables) -> None:
    lean = features(given(customers=pd.DataFrame({"customer_id": ["ann"]})))
    full = features(shop, "2023-12-01")
    computed = [name for name in full if name not in shop.attributes()]
    assert lean.columns.tolist() == computed
    assert set(lean.dtypes) == {np.dtype("float64")} == set(full[computed].dtypes)
    assert lean.isna().all(axis=None)


@pytest.mark.parametrize("group", OF_CUSTOMERS)
def test_a_planted_future_changes_no_feature(group: str, given: Callable[..., Tables]) -> None:
    more = {"order_id": "1", "category": "milk", "on_promotion": True, "discount": 0.1, "coupon_discount": 0.2}
    history = [
        ("ann", "2024-01-01 10:00", 6.0, more),
        ("ann", "2024-02-11 10:00", 10.0, {**more, "order_id": "2"}),
        ("bob", "2024-02-01", 7.0, {**more, "order_id": "3"}),
    ]
    future = [
        ("ann", "2024-03-01 00:00:01", 1000.0, {**more, "order_id": "4", "category": "gold"}),
        ("bob", "2024-05-01", -500.0, {**more, "order_id": "5"}),
    ]
    touch = {
        "customer_id": "ann",
        "occurred_at": pd.Timestamp("2024-02-01"),
        "campaign_id": "a",
        "responded_at": pd.NaT,
    }
    later = {**touch, "occurred_at": pd.Timestamp("2024-03-02"), "responded_at": pd.Timestamp("2024-03-03")}
    spine = pd.DataFrame({ENTITY: ["ann", "bob"], TIMESTAMP: pd.Timestamp(AT)})
    frames = []
    for rows, touches in (history, [touch]), (history + future, [touch, later]):
        tables = given(rows, touches=touches)
        with CUSTOMER.open_history(tables, spine) as db:
            frames.append(db.sql(GROUPS[group].sql(tables)).df().sort_values(ENTITY, ignore_index=True))
    pd.testing.assert_frame_equal(*frames)


def test_many_moments_at_once_equal_one_at_a_time(shop: Tables) -> None:
    who = pd.read_parquet(shop.path("customers"))[ENTITY].tolist()
    moments = ["2023-06-01", "2024-01-15 12:00"]
    alone = {at: features(shop, at, who) for at in moments}
    spine = pd.DataFrame([(one, pd.Timestamp(at)) for at in moments for one in who], columns=[ENTITY, TIMESTAMP])
    with CUSTOMER.open_history(shop, spine) as db:
        for group, sql in OF_CUSTOMERS.items():
            together = db.sql(sql(shop)).df()
            for at in moments:
                some = together[together[TIMESTAMP] == pd.Timestamp(at)].set_index(ENTITY).loc[who]
                some = some.drop(columns=[TIMESTAMP, OBSERVED])
                pd.testing.assert_frame_equal(some, alone[at][some.columns], obj=group)


def test_names_are_unique_over_all_groups(shop: Tables) -> None:
    names = features(shop, "2023-12-01").columns
    assert names.is_unique


def test_what_is_declared_to_move_is_a_feature_of_its_service(shop: Tables, given: Callable[..., Tables]) -> None:
    declared = moving("churn_v1", shop)
    assert declared and set(declared) <= set(features(shop, "2023-12-01").columns)
    customers = pd.DataFrame({"customer_id": ["ann"], "joined": [pd.Timestamp("2024-02-20")], "visits": [3]})
    assert set(moving("churn_v1", given(customers=customers))) - set(declared) == {"joined"}
    spine = pd.DataFrame({"campaign_id": ["spring"], TIMESTAMP: pd.Timestamp("2023-12-01")})
    with CAMPAIGN.open_history(shop, spine) as db:
        of_campaigns = db.sql(GROUPS["market"].sql(shop)).df().drop(columns=["campaign_id", TIMESTAMP, OBSERVED])
    assert set(moving("bidding_v1", shop)) == set(of_campaigns.columns) - {"zone"}


@pytest.mark.parametrize(("zone", "evening", "weekend"), [(None, 0, 1), ("UTC", 0, 1), ("America/Los_Angeles", 1, 0)])
def test_hours_and_weekdays_are_of_the_businesss_own_clock(
    given: Callable[..., Tables], zone: str | None, evening: float, weekend: float
) -> None:
    # In Los Angeles it is eight in the evening, on Friday.
    ann = features(given([("ann", "2024-01-06 04:00", 5.0, {"zone": zone})])).loc["ann"]
    assert (ann["evening_share"], ann["morning_share"], ann["weekend_share"]) == (evening, 1 - evening, weekend)
