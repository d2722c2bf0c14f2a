"""Attributes of customers and creatives: any column of their table that is not canonical, and the days until a
customer's contract renews."""

from collections.abc import Mapping

from features.movement import GROWS, Movement, clock
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


#: Days of a month, and months of a contract whose term is not told.
_MONTH, _TERM = 365.25 / 12, 12.0

# The date that a table tells is of the newest contract: who left keeps an older one, so that the date itself would
# tell who stays. Counted within the term, all dates of one contract are the same.
_RENEWAL = """,
           CASE WHEN term > 0 THEN ahead - term * floor(ahead / term) END::DOUBLE AS days_until_renewal"""


def sql(tables: Tables) -> str:
    if "renews_at" in tables.columns("customers"):
        return _with_renewal(tables)
    return f"""
        SELECT s.customer_id, s.event_timestamp, NULL::TIMESTAMP AS observed_until{fields(tables, "customers")}
        FROM spine s LEFT JOIN {tables.sql("customers")} c USING (customer_id)
    """


def _with_renewal(tables: Tables) -> str:
    there = tables.columns("customers")
    months = f"coalesce(contract_months, {_TERM})" if "contract_months" in there else f"{_TERM}"
    columns = f"{fields(tables, 'customers')}{_RENEWAL}"
    return f"""
        SELECT s.customer_id, s.event_timestamp, NULL::TIMESTAMP AS observed_until{columns}
        FROM spine s LEFT JOIN (SELECT *, {months} * {_MONTH} AS term FROM {tables.sql("customers")}) c
            USING (customer_id)
        LEFT JOIN (SELECT row, date_diff('second', s.event_timestamp, c.renews_at) / 86400.0 AS ahead
                   FROM spine s JOIN {tables.sql("customers")} c USING (customer_id)) USING (row)
    """


def moves(tables: Tables) -> Mapping[str, Movement]:
    """Dates become days since then, which grow; the days until a renewal follow the calendar."""
    renewal = {"days_until_renewal": clock(0, 3660)} if "renews_at" in tables.columns("customers") else {}
    return {**growing(tables, "customers"), **renewal}


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
