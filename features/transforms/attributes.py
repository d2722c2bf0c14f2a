"""Attributes of customers and creatives: any column of their table that is not canonical."""

from collections.abc import Mapping

from features.movement import GROWS, Movement
from features.tables import Tables, quoted

_NUMBERS: tuple[str, ...] = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "UTINYINT",
)
_DATES = ("DATE", "TIMESTAMP")
_NUMBERS += ("USMALLINT", "UINTEGER", "UBIGINT")


def sql(tables: Tables) -> str:
    return f"""
        SELECT s.customer_id, s.event_timestamp, NULL::TIMESTAMP AS observed_until{fields(tables, "customers")}
        FROM spine s LEFT JOIN {tables.sql("customers")} c USING (customer_id)
    """


def moves(tables: Tables) -> Mapping[str, Movement]:
    """Dates become days since then, which grow."""
    return growing(tables, "customers")


def fields(tables: Tables, table: str) -> str:
    """SQL of the attributes of a table `c`, each after a comma, at a row of the spine `s`."""
    return "".join(f", {_typed(name, kind)} AS {quoted(name)}" for name, kind in tables.attributes(table).items())


def growing(tables: Tables, table: str) -> Mapping[str, Movement]:
    """The attributes of a table that are dates."""
    return {name: GROWS for name, kind in tables.attributes(table).items() if _is(kind, _DATES)}


def _typed(name: str, kind: str) -> str:
    """SQL: numbers and booleans unchanged, dates as days since then (null if in the future), the rest as text."""
    column = f"c.{quoted(name)}"
    if _is(kind, _NUMBERS):
        return f"{column}::DOUBLE"
    if _is(kind, _DATES):
        days = f"date_diff('second', {column}::TIMESTAMP, s.event_timestamp) / 86400.0"
        return f"CASE WHEN {days} >= 0 THEN {days} END::DOUBLE"
    return column if kind == "BOOLEAN" else f"{column}::VARCHAR"


def _is(kind: str, kinds: tuple[str, ...]) -> bool:
    """Whether a DuckDB type is one of these, and no list of them."""
    return kind.startswith(kinds) and not kind.endswith("]")
