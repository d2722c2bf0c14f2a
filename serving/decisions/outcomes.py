"""Decisions joined with their outcomes, one row each: for training, off-policy evaluation, and DuckDB queries."""

import pandas as pd

from features.lake import Place
from features.records import COLUMNS, LOG
from features.sources.decision_log import came_of
from serving.decisions.records import Action
from serving.records import reading

KEY = ["account_id", "decision_id"]
CAME = {"impression": "int8", "click": "int8", "conversions": "int64", "value": "float64", "cost": "float64"}


def joined(root: Place, since: float = 0.0) -> pd.DataFrame:
    """Decisions of one endpoint's folder or of several, logged since a time, each once, with their outcomes.

    Columns: those of `features.records.COLUMNS`; then `impression` and `click` (0 or 1), `conversions` (a count),
    `value` (after refunds) and `cost` (in the account's currency); `known`: decided before the last reported outcome,
    so that a missing outcome means a loss. Of a repeated decision, the first answer counts. Damaged parts are left out.
    Raises `FileNotFoundError` where nothing is logged.

    Args:
        since: Unix seconds.
    """
    names = [name for name, _, _ in COLUMNS]
    late = [table.to_pandas() for table in reading.tables(root / LOG, names, since)]
    logged: pd.DataFrame = pd.concat(late or [pd.DataFrame(columns=names)])
    logged = logged[logged["logged_at"] >= since]
    acted = logged["action"].ne(Action.HOLD)
    first = logged.assign(held=~acted).sort_values(["held", "logged_at"], kind="stable").drop_duplicates(KEY)
    frame = first.drop(columns="held").sort_values("logged_at", kind="stable", ignore_index=True)
    came = came_of(root)
    frame = frame.merge(came[[*KEY, *CAME]], on=KEY, how="left", validate="one_to_one")
    return frame.fillna(dict.fromkeys(CAME, 0)).astype(CAME).assign(known=frame["decided_at"] <= came["told_at"].max())
