"""What is known of the customer besides events: demographics, contract, any column of the customers table."""

from features.tables import Tables, quoted

_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)


def sql(tables: Tables) -> str:
    attributes = "".join(f", {_typed(name, kind)} AS {quoted(name)}" for name, kind in tables.attributes().items())
    return f"""
        SELECT s.customer_id, s.event_timestamp, NULL::TIMESTAMP AS observed_until{attributes}
        FROM spine s LEFT JOIN {tables.sql("customers")} c USING (customer_id)
    """  # noqa: S608


def _typed(name: str, kind: str) -> str:
    """Numbers and booleans as they are, a date as the days since then (null while it lies ahead), the rest as text."""
    column = f"c.{quoted(name)}"
    if kind in _WHOLE or kind.startswith("DECIMAL"):
        return f"{column}::DOUBLE"
    if kind.startswith(("DATE", "TIMESTAMP")):
        past = f"{column}::TIMESTAMP <= s.event_timestamp"
        return (
            f"CASE WHEN {past} THEN date_diff('second', {column}::TIMESTAMP, s.event_timestamp) / 86400.0 END::DOUBLE"
        )
    return column if kind == "BOOLEAN" else f"{column}::VARCHAR"
