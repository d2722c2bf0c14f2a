"""Each campaign's auctions in order of time: what its features and the examples of bidding are made of."""

import pandas as pd

from features import censored
from features.tables import UNDATED, Tables, literal

# A log that tells no time tells an order: a campaign's auctions stand a minute apart, at no hour and no day of the
# week, and all campaigns end together. `nth` counts a campaign's auctions: later ones change no number of an earlier
# one. What is told after `until` is not known: neither a click nor a conversion that came of an earlier auction.
_SQL = """
    WITH told AS (
        SELECT * REPLACE (CASE WHEN clicked_at > {until} THEN 0 ELSE click END AS click,
                          CASE WHEN converted_at > {until} THEN 0 ELSE conversion_value END AS conversion_value),
               row_number() OVER () AS line
        FROM ({auctions}) WHERE occurred_at IS NULL OR occurred_at <= {until}
    ), numbered AS (
        SELECT * EXCLUDE (line), row_number() OVER (PARTITION BY campaign_id ORDER BY occurred_at, line) AS nth,
               row_number() OVER (PARTITION BY campaign_id ORDER BY occurred_at DESC, line DESC) AS to_come
        FROM told
    ), given AS (
        SELECT * EXCLUDE (to_come)
                   REPLACE (coalesce(occurred_at, TIMESTAMP '{undated}' - to_minutes(to_come)) AS occurred_at),
               occurred_at IS NOT NULL AS dated
        FROM numbered
    ), known AS ({known})
    SELECT * EXCLUDE (nth), {known_at} AS known_at,
           CASE WHEN dated THEN hour(occurred_at) ELSE 0 END AS hour,
           CASE WHEN dated THEN isodow(occurred_at) - 1 ELSE 0 END AS weekday,
           row_number() OVER (PARTITION BY campaign_id ORDER BY nth) AS place
    FROM known
"""
#: From the moment after it was held. Of a day with lost auctions, whose prices are estimated from the whole of it, from
#: its end.
_KNOWN_AT = "occurred_at + INTERVAL 1 MICROSECOND"
_KNOWN_AT_CENSORED = "date_trunc('day', occurred_at) + INTERVAL 1 DAY"


def sql(tables: Tables, until: str | None = None) -> str:
    """The query of all auctions up to `until`: the columns of the specification, `occurred_at` never null, and `dated`
    (whether the log tells it), `known_at` (from when on features may know of it), `hour` (0-23), `weekday` (0-6 from
    Monday) and `place`, which counts a campaign's auctions in order of time, or of the table where it tells none. Where
    it says which were won, the lost ones are as `censored` says."""
    lost = _tells_lost(tables)
    return _SQL.format(
        auctions=tables.whole("auctions"),
        until=f"{literal(until or 'infinity')}::TIMESTAMP",
        undated=UNDATED,
        known=censored.sql() if lost else "SELECT * FROM given",
        known_at=_KNOWN_AT_CENSORED if lost else _KNOWN_AT,
    )


def _tells_lost(tables: Tables) -> bool:
    return "won" in tables.columns("auctions")


def read(tables: Tables, as_of: str | None = None) -> pd.DataFrame:
    """The auctions that are no later than `as_of`, campaign after campaign, each in order of time."""
    with tables.connect() as db:
        until = "WHERE occurred_at <= $as_of::TIMESTAMP" if as_of else ""
        query = f"SELECT * FROM ({sql(tables, as_of)}) {until} ORDER BY campaign_id, occurred_at, place"
        return db.execute(query, {"as_of": as_of} if as_of else {}).df()


def latest(tables: Tables) -> pd.Timestamp:
    """When the last auction was held; of a log that tells lost ones, the end of its day.

    Raises `ValueError` where there are none.
    """
    with tables.connect() as db:
        last = db.execute(f"SELECT max(occurred_at) FROM ({sql(tables)})").fetchall()[0][0]
    if last is None:
        raise ValueError("auctions: the table is empty")
    return pd.Timestamp(last).floor("D") + pd.Timedelta(days=1) if _tells_lost(tables) else pd.Timestamp(last)
