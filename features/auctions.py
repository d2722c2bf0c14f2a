"""Prepares each campaign's auctions in order of time, for its features and the examples of bidding."""

import pandas as pd

from features import censored, delayed
from features.delayed import Delay
from features.tables import UNDATED, Tables, literal, local

# A log that tells no time tells an order: a campaign's auctions stand a minute apart, at no hour and no day of the
# week, and all campaigns end together. `nth` counts a campaign's auctions: later ones change no number of an earlier
# one. What is told after `until` is not known.
_SQL = """
    WITH told AS (
        SELECT * EXCLUDE (click), CASE WHEN clicked_at > {until} THEN 0 ELSE click END AS click,
               row_number() OVER () AS line
        FROM ({auctions}) WHERE occurred_at IS NULL OR occurred_at <= {until}
    ), numbered AS (
        SELECT * EXCLUDE (line), row_number() OVER (PARTITION BY campaign_id ORDER BY occurred_at, line) AS nth,
               row_number() OVER (PARTITION BY campaign_id ORDER BY occurred_at DESC, line DESC) AS to_come
        FROM told
    ), given AS (
        SELECT * EXCLUDE (to_come, occurred_at),
               coalesce(occurred_at, TIMESTAMP '{undated}' - to_come * INTERVAL 1 MINUTE) AS occurred_at,
               occurred_at IS NOT NULL AS dated
        FROM numbered
    ), known AS ({known}), delays AS ({delays})
    SELECT known.* EXCLUDE (nth, conversion_value),
           CASE WHEN converted_at > TIMESTAMP '{end}' THEN 0 ELSE conversion_value END AS conversion_value,
           {known_at} AS known_at,
           coalesce(share, 1) AS matured,
           CASE WHEN dated THEN hour({local}) ELSE 0 END AS hour,
           CASE WHEN dated THEN isodow({local}) - 1 ELSE 0 END AS weekday,
           row_number() OVER (PARTITION BY campaign_id ORDER BY nth) AS place
    FROM known LEFT JOIN delays
        ON whose = {campaign} AND dated
        AND hour = floor(date_diff('microsecond', occurred_at, TIMESTAMP '{end}') / 3600e6)::BIGINT
"""
#: From the moment after it was held. Of a day with lost auctions, whose prices are estimated from the whole of it, from
#: its end.
_KNOWN_AT = "occurred_at + INTERVAL 1 MICROSECOND"
_KNOWN_AT_CENSORED = "date_trunc('day', occurred_at) + INTERVAL 1 DAY"
#: What decides the relation, for the name of a snapshot.
STATEMENTS = (_SQL, censored.sql(), local("occurred_at"), _KNOWN_AT, _KNOWN_AT_CENSORED)


def sql(tables: Tables, delay: Delay, until: str | None = None) -> str:
    """SQL of all auctions up to `until`, with their state at the end of the log that `delay` was estimated from.

    It has the canonical columns, `occurred_at` never null, and

    - `dated`: whether the log has a timestamp,
    - `known_at`: earliest time at which features may use it,
    - `hour` (0-23) and `weekday` (0-6 from Monday) in local time of its `zone`,
    - `matured`: expected share of its conversions that have already happened,
    - `place`: index within the campaign in order of time, or of the table without timestamps.

    Where the log has `won`, lost auctions are imputed as in `censored`.
    """
    lost = _tells_lost(tables)
    return _SQL.format(
        undated=UNDATED,
        auctions=tables.whole("auctions"),
        until=f"{literal(until or '9999-12-31')}::TIMESTAMP",
        known=censored.sql() if lost else "SELECT * FROM given",
        known_at=_KNOWN_AT_CENSORED if lost else _KNOWN_AT,
        local=local("occurred_at"),
        delays=delay.sql(),
        end=delay.end,
        campaign=delay.whose("known.campaign_id"),
    )


def _tells_lost(tables: Tables) -> bool:
    return "won" in tables.columns("auctions")


def read(tables: Tables, as_of: str | None = None) -> pd.DataFrame:
    """The auctions up to `as_of`, by campaign and time."""
    delay = delayed.learn(tables, as_of)
    with tables.connect() as db:
        until = "WHERE occurred_at <= $as_of::TIMESTAMP" if as_of else ""
        query = f"SELECT * FROM ({sql(tables, delay, as_of)}) {until} ORDER BY campaign_id, occurred_at, place"
        return db.execute(query, {"as_of": as_of} if as_of else {}).df()


def latest(tables: Tables, as_of: str | None = None) -> pd.Timestamp:
    """Time of the last auction up to `as_of`; the end of its day for logs with lost auctions.

    Raises `ValueError` where there are none.
    """
    with tables.connect() as db:
        last = db.execute(f"SELECT max(occurred_at) FROM ({sql(tables, Delay.none())})").fetchall()[0][0]
    if last is None:
        raise ValueError("auctions: the table is empty")
    end = pd.Timestamp(last).floor("D") + pd.Timedelta(days=1) if _tells_lost(tables) else pd.Timestamp(last)
    return min(end, pd.Timestamp(as_of)) if as_of else end
