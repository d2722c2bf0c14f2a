"""What attributes may be called: Feast and the examples keep some names for themselves."""

import re
from collections.abc import Iterable
from functools import cache

import pandas as pd

#: Columns of examples and feature rows that are no features.
RESERVED = frozenset({"event_timestamp", "observed_until", "split", "value", "horizon_days", "entity_row_id", "rn"})
_NOT_IN_NAMES = re.compile(r"[:\x00-\x1f\x7f]+")


@cache
def computed() -> frozenset[str]:
    """The names of the features that are computed of customers, in lower case."""
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
    """The name of an attribute: its own, where Feast and the examples can bear it and none of `taken` is the same but
    for its case; else one like it."""
    plain = _NOT_IN_NAMES.sub("_", name.strip()) or "attribute"
    # Feast's join takes what ends with _y for a column that was there twice.
    if plain.endswith("_y") or plain.lower() in RESERVED or plain.lower() in computed():
        plain += "_attribute"
    others, number, found = {one.lower() for one in taken}, 1, plain
    while found.lower() in others:
        number += 1
        found = f"{plain}_{number}"
    return found
