"""Each campaign's auctions in order of time: what its features and the examples of bidding are made of."""

import duckdb
import pandas as pd

from features import censored, delayed
from features.delayed import Delay
from features.tables import UNDATED, Tables, local

# A log that tells no time tells an order: a campaign's auctions stand a minute apart, at no hour and no day of the
# week, and all campaigns end together.
_SQL = """
    WITH given AS (SELECT *, row_number() OVER () AS nth FROM ({auctions})),
    known AS ({known}),
    placed AS (
        SELECT * EXCLUDE (nth),
               row_number() OVER (PARTITION BY campaign_id ORDER BY nth) AS place,
               row_number() OVER (PARTITION BY campaign_id ORDER BY nth DESC) AS to_come
        FROM known
    ), delays AS ({delays})
    SELECT placed.* EXCLUDE (to_come)
               REPLACE (coalesce(occurred_at, TIMESTAMP '{undated}' - to_minutes(to_come)) AS occurred_at,
                        CASE WHEN converted_at > TIMESTAMP '{end}' THEN 0 ELSE conversion_value END
                            AS conversion_value),
           coalesce(converted_at, occurred_at + to_hours({wait_h})) AS counted_at,
           coalesce(share, 1) AS matured,
           occurred_at IS NOT NULL AS dated,
           coalesce(hour({local}), 0) AS hour,
           coalesce(isodow({local}) - 1, 0) AS weekday
    FROM placed LEFT JOIN delays
        ON whose = {campaign} AND hour = floor(epoch(TIMESTAMP '{end}' - occurred_at) / 3600)::BIGINT
"""
#: What decides the relation, for the name of a snapshot.
STATEMENTS = (_SQL, censored.sql(), local("occurred_at"))


def sql(tables: Tables, delay: Delay) -> str:
    """The query of all auctions, as they stand at the end of the log that `delay` was learnt from.

    It has the columns of the specification, `occurred_at` never null, and

    - `dated`: whether the log tells when it was,
    - `hour` (0-23) and `weekday` (0-6 from Monday) on the clock of its `zone`,
    - `matured`: the share of its conversions that has come, and `counted_at`: when one of it is counted,
    - `place`, which counts a campaign's auctions as they stand in the table.

    Where it says which were won, the lost ones are as `censored` says.
    """
    known = censored.sql() if "won" in tables.columns("auctions") else "SELECT * FROM given"
    return _SQL.format(
        undated=UNDATED,
        auctions=tables.whole("auctions"),
        known=known,
        local=local("occurred_at"),
        delays=delay.sql(),
        end=delay.end,
        wait_h=delay.wait_h,
        campaign=delay.whose("placed.campaign_id"),
    )


def read(tables: Tables, as_of: str | None = None) -> pd.DataFrame:
    """The auctions that are no later than `as_of`, campaign after campaign, each in order of time."""
    delay = delayed.learn(tables, as_of)
    with duckdb.connect() as db:
        until = "WHERE occurred_at <= $as_of::TIMESTAMP" if as_of else ""
        query = f"SELECT * FROM ({sql(tables, delay)}) {until} ORDER BY campaign_id, occurred_at, place"
        return db.execute(query, {"as_of": as_of} if as_of else {}).df()


def latest(tables: Tables) -> pd.Timestamp:
    """When the last auction was held. Raises `ValueError` where there are none."""
    with duckdb.connect() as db:
        last = db.execute(f"SELECT max(occurred_at) FROM ({sql(tables, Delay.none())})").fetchall()[0][0]
    if last is None:
        raise ValueError("auctions: the table is empty")
    return pd.Timestamp(last)
