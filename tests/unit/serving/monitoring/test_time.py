"""The features that models read, in a business that stays as it is: what time alone does to them is no alarm."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.tables import Tables
from features.transforms import CUSTOMER, GROUPS
from features.views import OBSERVED, moving
from serving.monitoring.detector import Expected, detector, usual

START, DAY = pd.Timestamp("2022-01-10"), pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Three years of customers who join, and each buy at a rate of their own, at any time of the year."""
    rng, folder = np.random.default_rng(3), tmp_path_factory.mktemp("shop")
    joined, rate = rng.uniform(0, 500, 500), rng.gamma(4, 1 / 60, 500)
    bought = [
        (f"c{who}", at) for who in range(500) for at in joined[who] + np.cumsum(rng.exponential(1 / rate[who], 150))
    ]
    rows = pd.DataFrame([one for one in bought if one[1] < 1095], columns=["customer_id", "occurred_at"])
    rows["occurred_at"] = START + pd.to_timedelta(rows["occurred_at"], unit="D")
    rows["amount"] = rng.gamma(3, 10, len(rows))
    rows.to_parquet(
        folder / "transactions.parquet", index=False, coerce_timestamps="us", allow_truncated_timestamps=True
    )
    pd.DataFrame({"customer_id": rows["customer_id"].unique()}).to_parquet(folder / "customers.parquet")
    return Tables(Path(folder))


def seen(tables: Tables, days: int) -> pd.DataFrame:
    """What models read of all customers, so many days after the start."""
    who = pd.read_parquet(tables.path("customers"))
    with CUSTOMER.open_history(tables, who.assign(event_timestamp=START + days * DAY)) as db:
        of_customers = [one.sql(tables) for one in GROUPS.values() if one.entity is CUSTOMER]
        keys = ["customer_id", "event_timestamp"]
        frames = [db.sql(sql).df().set_index(keys).sort_index().drop(columns=OBSERVED) for sql in of_customers]
    return pd.concat(frames, axis=1).reset_index(drop=True)


@pytest.fixture(scope="module")
def reference(tables: Tables) -> pd.DataFrame:
    return seen(tables, 800)


@pytest.mark.parametrize("later", [30, 90, 180])
def test_time_alone_moves_no_feature_of_a_business_that_stays_as_it_is(
    tables: Tables, reference: pd.DataFrame, later: int
) -> None:
    moves = moving("churn_v1", tables)
    expected = Expected(moves, usual(reference, [seen(tables, 800 - later)], moves))
    found = detector("scipy", reference, 0.01, 0.1, expected).detect(seen(tables, 800 + later))
    assert {name: drift.why for name, drift in found.items() if drift.drifted} == {}
