"""Valid names of attributes of customers and creatives: Feast and the examples reserve some."""

import re
from collections.abc import Iterable
from functools import cache

import pandas as pd

#: Ends of the names of a rate's answers: the rate, its interval and the strength of the prior that it is worth.
RATE_ENDS = ("", "_low", "_high", "_strength")
#: Columns of examples and feature rows that are not features.
RESERVED = frozenset({"event_timestamp", "observed_until", "split", "entity_row_id", "rn"})
#: By table, columns of its examples and answers of its models.
TAKEN = {
    "customers": frozenset(
        {
            *("value", "horizon_days", "churn_probability", "risk_band", "expected_days_to_churn"),
            *("value_low", "value_high", "value_1y", "value_3y", "churn_risk", "days_until_renewal"),
        }
    ),
    "creatives": frozenset(
        {
            *(f"{rate}{end}" for rate in ("ctr", "conversion_rate", "engagement") for end in RATE_ENDS),
            *("cpc", "cpc_low", "cpc_high", "impressions", "clicks", "conversions", "engagements", "spend"),
            *("channel", "audience", "hour", "weekday", "of_creative", "of_campaign"),
        }
    ),
}
_NOT_IN_NAMES = re.compile(r"[:\x00-\x1f\x7f]+")


@cache
def computed(table: str = "customers") -> frozenset[str]:
    """The names of computed features of a table's entities, in lower case."""
    import tempfile
    from pathlib import Path

    from features.tables import Tables
    from features.transforms import GROUPS, attributes

    groups = [one for one in GROUPS.values() if one.entity.table == table and one.sql != attributes.sql]
    entity = groups[0].entity
    with tempfile.TemporaryDirectory() as nothing:
        tables = Tables(Path(nothing))
        spine = pd.DataFrame({entity.key: pd.Series(dtype=str), "event_timestamp": pd.Series(dtype="datetime64[us]")})
        with entity.open_history(tables, spine) as db:
            return frozenset(name.lower() for one in groups for name in db.sql(one.sql(tables)).columns)


def safe(name: str, taken: Iterable[str], table: str = "customers") -> str:
    """A valid name for an attribute: its own where not reserved or in `taken` (ignoring case), else a similar one."""
    plain, reserved = _NOT_IN_NAMES.sub("_", name.strip()) or "attribute", RESERVED | TAKEN.get(table, frozenset())
    # Feast's join treats a suffix _y as a duplicate column.
    if plain.endswith("_y") or plain.lower() in reserved or (table in TAKEN and plain.lower() in computed(table)):
        plain += "_attribute"
    others, number, found = {one.lower() for one in taken}, 1, plain
    while found.lower() in others:
        number += 1
        found = f"{plain}_{number}"
    return found
