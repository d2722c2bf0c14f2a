"""Small tables written by hand, so that every figure in these tests can be checked by eye."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import business
import pandas as pd
import pytest

from features.tables import Tables


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., Tables]:
    """Tables of these rows: `given(transactions=[("ann", "2024-01-01", 5.0), …], customers=[…])`.

    A row of transactions is customer_id, occurred_at, amount and, in a dict, any other columns. Where customers are
    not given they are those who bought.
    """

    def write(
        transactions: list[Any] = (),
        customers: pd.DataFrame | None = None,
        touches: Any = None,
        interactions: Any = None,
    ) -> Tables:
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        rows = [
            {"customer_id": who, "occurred_at": pd.Timestamp(when), "amount": amount, **(more[0] if more else {})}
            for who, when, amount, *more in transactions
        ]
        if rows:
            _write(pd.DataFrame(rows), folder / "transactions.parquet")
        if touches is not None:
            _write(pd.DataFrame(touches), folder / "touches.parquet")
        if interactions is not None:
            events = pd.DataFrame(interactions, columns=["customer_id", "occurred_at", "kind", "value"])
            events["occurred_at"] = pd.to_datetime(events["occurred_at"])
            _write(events, folder / "interactions.parquet")
        if customers is None:
            customers = pd.DataFrame({"customer_id": sorted({row["customer_id"] for row in rows})})
        _write(customers, folder / "customers.parquet")
        return Tables(folder)

    return write


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, coerce_timestamps="us")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """A made-up business of a hundred customers over 14 months."""
    return Tables(business.write(tmp_path_factory.mktemp("shop") / "tables", customers=100))
