"""Counts of ads by the account's day and whatever they belong to, from the table `impressions`."""

import pandas as pd

from features.tables import Tables, literal, quoted

COUNTS = ("impressions", "clicks", "conversions", "engagements", "spend", "value")
KEYS = ("campaign_id", "ad_group_id", "ad_id", "keyword_id", "channel", "audience", "hour")
#: Columns of the table by key and count; `ad_group_id`, `keyword_id` and `conversion_value` are what platforms add to
#: the canonical ones.
_COLUMNS = {"ad_id": "creative_id", "value": "conversion_value"}
_SQL = """
    WITH shown AS (SELECT {columns}, {moment} AS told_at FROM {table})
    SELECT told_at::DATE AS day, {keys}, {hour} AS hour, {sums} FROM shown GROUP BY ALL ORDER BY ALL
"""


def read(tables: Tables, zone: str) -> pd.DataFrame:
    """Sums of `COUNTS` by `day` and `KEYS`; an outcome that was not counted is 0.

    Events are of the day and hour that the clock of `zone` showed. Where every row is of midnight they are counts of
    days, which platforms tell in the account's own days: they stay as they are, and `hour` is null.
    """
    there, table = tables.columns("impressions"), tables.sql("impressions")
    if not there:
        raise ValueError(f"{tables.folder}: expected a table impressions")
    named = [name for name in KEYS if name != "hour"]
    columns = [_column(name, "VARCHAR", there) for name in named] + [_column(name, "DOUBLE", there) for name in COUNTS]
    with tables.connect() as db:
        midnight = f"SELECT coalesce(bool_and(date_trunc('day', occurred_at) = occurred_at), true) FROM {table}"
        daily = bool(db.execute(midnight).fetchall()[0][0])
        query = _SQL.format(
            columns=", ".join(columns),
            moment="occurred_at" if daily else f"(occurred_at AT TIME ZONE 'UTC' AT TIME ZONE {literal(zone)})",
            table=table,
            keys=", ".join(named),
            hour="NULL::INTEGER" if daily else "hour(told_at)",
            sums=", ".join(f"coalesce(sum({name}), 0)::DOUBLE AS {name}" for name in COUNTS),
        )
        return db.execute(query).df()


def _column(name: str, kind: str, there: dict[str, str]) -> str:
    column = _COLUMNS.get(name, name)
    return f"{quoted(column) if column in there else 'NULL'}::{kind} AS {name}"
