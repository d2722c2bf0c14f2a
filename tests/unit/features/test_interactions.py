"""Features of what customers do beside buying, counted by hand; none of them where a business records none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import contracts, sources, store
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import Tables
from features.transforms import CUSTOMER, GROUPS
from features.views import OBSERVED, TIMESTAMP, moving

AT = pd.Timestamp("2024-06-01")
BOUGHT = [("ann", "2024-01-05", 50.0), ("ann", "2024-02-05", 30.0), ("bob", "2024-01-05", 10.0)]


def of(tables: Tables, group: str, at: pd.Timestamp = AT) -> pd.DataFrame:
    spine = pd.DataFrame({"customer_id": ["ann", "bob"], TIMESTAMP: at})
    with CUSTOMER.open_history(tables, spine) as db:
        found = db.sql(GROUPS[group].sql(tables)).df().set_index("customer_id")
    return found.drop(columns=[TIMESTAMP, OBSERVED])


def test_use_that_falls_is_a_trend_below_one(given: Callable[..., Tables]) -> None:
    days = [10, 40, 45, 50, 60, 70]
    met = [("ann", AT - pd.Timedelta(days=day), "login", None) for day in days]
    met += [("ann", AT - pd.Timedelta(days=3), "feature", None), ("ann", AT + pd.Timedelta(days=1), "login", None)]
    found = of(given(BOUGHT, interactions=met), "engagement")
    ann, bob = found.loc["ann"], found.loc["bob"]
    assert (ann["engagement_logins_28d"], ann["engagement_features_28d"]) == (1, 1)
    assert ann["engagement_login_trend"] == pytest.approx(2 * 2 / 7)
    assert ann["engagement_trend"] == pytest.approx(2 * 3 / 7)
    assert (ann["engagement_active_days_28d"], ann["engagement_recency_days"]) == (2, 3)
    assert (bob["engagement_logins_28d"], bob["engagement_login_trend"]) == (0, 1)
    assert np.isnan(bob["engagement_recency_days"])
    assert found["engagement_contents_28d"].isna().all()  # never recorded: unknown, not none


def test_before_the_first_record_of_a_kind_none_is_unknown(given: Callable[..., Tables]) -> None:
    tables = given(BOUGHT, interactions=[("ann", "2024-05-01", "login", None)])
    before = of(tables, "engagement", pd.Timestamp("2024-04-30"))
    assert before[["engagement_logins_28d", "engagement_login_trend", "engagement_trend"]].isna().all(axis=None)


def test_satisfaction_by_hand(given: Callable[..., Tables]) -> None:
    met = [
        ("ann", "2024-02-01", "nps", 9.0),
        ("ann", "2024-05-01", "nps", 3.0),
        ("ann", "2024-05-02", "complaint", None),
        ("ann", "2024-01-02", "complaint", None),
        ("ann", "2024-02-07", "refund", 20.0),
        ("bob", "2024-03-01", "rating", 5.0),
    ]
    found = of(given(BOUGHT, interactions=met), "satisfaction")
    ann, bob = found.loc["ann"], found.loc["bob"]
    assert (ann["satisfaction_nps"], ann["satisfaction_nps_change"]) == (3, -3)
    assert (ann["satisfaction_complaints"], ann["satisfaction_complaints_84d"]) == (2, 1)
    assert (ann["satisfaction_refund_rate"], ann["satisfaction_refunded_share"]) == (0.5, 0.25)
    assert (bob["satisfaction_rating"], bob["satisfaction_complaints"], bob["satisfaction_refund_rate"]) == (5, 0, 0)
    assert np.isnan(bob["satisfaction_nps"])


def test_tables_without_interactions_have_no_such_features(given: Callable[..., Tables]) -> None:
    tables = given(BOUGHT)
    assert of(tables, "engagement").empty and of(tables, "satisfaction").empty
    assert not set(moving("churn_v1", tables)) & {"satisfaction_complaints", "days_until_renewal"}
    assert set(moving("churn_v1", given(BOUGHT, interactions=[]))) >= {"satisfaction_complaints"}


def test_days_until_a_renewal_do_not_tell_who_renewed(given: Callable[..., Tables]) -> None:
    """Who stayed has a date a term later than who left: within the term it is the same day."""
    customers = pd.DataFrame(
        {
            "customer_id": ["ann", "bob"],
            "renews_at": [AT + pd.Timedelta(days=10 + 365.25), AT + pd.Timedelta(days=10)],
            "contract_months": [12.0, np.nan],
        }
    )
    found = of(given(BOUGHT, customers=customers), "attributes")
    assert found["days_until_renewal"].tolist() == pytest.approx([10, 10])
    past = of(given(BOUGHT, customers=customers), "attributes", AT + pd.Timedelta(days=20))
    assert past["days_until_renewal"].tolist() == pytest.approx([365.25 - 10] * 2)


def test_features_read_online_are_those_that_were_trained_on(given: Callable[..., Tables], tmp_path: Path) -> None:
    met = [("ann", "2024-05-20", "login", None), ("ann", "2024-05-21", "nps", 7.0)]
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "renews_at": [AT, pd.NaT]})
    tables, settings = given(BOUGHT, customers=customers, interactions=met), Settings(home=tmp_path / "home")
    examples = pd.DataFrame({"customer_id": ["ann", "bob"], TIMESTAMP: AT})
    snapshot = store.build(tables, "churn_v1", examples, AT, settings)
    frame = store.training_frame(snapshot, examples, settings).set_index("customer_id")
    store.publish(snapshot, settings)
    online = store.Online(settings).read("churn_v1", ["ann", "bob"])
    names = [name for name in frame if name.startswith(("engagement", "satisfaction", "days_until"))]
    assert len(names) == 23
    read = pd.DataFrame(online).set_index("customer_id") if "customer_id" in online else pd.DataFrame(online)
    pd.testing.assert_frame_equal(
        read[names].astype(float).reset_index(drop=True), frame[names].astype(float).reset_index(drop=True)
    )


def test_kinds_are_understood_as_people_write_them(tmp_path: Path) -> None:
    given, read = tmp_path / "given", tmp_path / "read"
    given.mkdir()
    rows = [
        "customer_id,occurred_at,kind,value",
        "a,2024-01-01,Logged in,",
        "a,2024-01-02,NPS-Score,8",
        "a,2024-01-03,Ticket,",
    ]
    (given / "interactions.csv").write_text("\n".join(rows))
    sources.read([str(given)], read, Settings(home=tmp_path))
    contracts.check(read)
    assert pd.read_parquet(read / "interactions.parquet")["kind"].tolist() == ["login", "nps", "support"]
    assert pd.read_parquet(read / "customers.parquet")["customer_id"].tolist() == ["a"]
    (given / "interactions.csv").write_text("\n".join([*rows, "a,2024-01-04,poke,"]))
    sources.read([str(given)], read, Settings(home=tmp_path))
    with pytest.raises(ContractBroken, match="kind is login or feature or content"):
        contracts.check(read)
