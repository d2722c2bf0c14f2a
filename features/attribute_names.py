"""Valid names of customer attributes: Feast and the examples reserve some."""

import re
from collections.abc import Iterable
from functools import cache

import pandas as pd

#: Columns of examples and feature rows that are not features, and answers of models of customers.
RESERVED = frozenset(
    {
        *("event_timestamp", "observed_until", "split", "value", "horizon_days", "entity_row_id", "rn"),
        *("churn_probability", "risk_band", "expected_days_to_churn"),
        *("value_low", "value_high", "value_1y", "value_3y", "churn_risk"),
    }
)
_NOT_IN_NAMES = re.compile(r"[:\x00-\x1f\x7f]+")


@cache
def computed() -> frozenset[str]:
    """The names of computed customer features, in lower case."""
    import tempfile
    from pathlib import Path

    from features.tables import Tables
    from features.transforms import CUSTOMER, GROUPS, attributes

    with tempfile.TemporaryDirectory() as nothing:
        tables = Tables(Path(nothing))
        spine = pd.DataFrame(
            {"customer_id": pd.Series(dtype=str), "event_timestamp": pd.Series(dtype="datetime64[us]")}
        )
        with CUSTOMER.open_history(tables, spine) as db:
            groups = [one.sql for one in GROUPS.values() if one.entity == CUSTOMER and one.sql != attributes.sql]
            return frozenset(name.lower() for sql in groups for name in db.sql(sql(tables)).columns)


def safe(name: str, taken: Iterable[str]) -> str:
    """A valid name for an attribute: its own where not reserved or in `taken` (ignoring case), else a similar one."""
    plain = _NOT_IN_NAMES.sub("_", name.strip()) or "attribute"
    # Feast's join treats a suffix _y as a duplicate column.
    if plain.endswith("_y") or plain.lower() in RESERVED or plain.lower() in computed():
        plain += "_attribute"
    others, number, found = {one.lower() for one in taken}, 1, plain
    while found.lower() in others:
        number += 1
        found = f"{plain}_{number}"
    return found
