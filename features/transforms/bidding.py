"""What had happened in each campaign's auctions before each moment that features are wanted for."""

import duckdb
import pandas as pd

from features import auctions, delayed
from features.tables import Tables

_SPINE = """
    CREATE TABLE spine AS
    SELECT row_number() OVER (ORDER BY event_timestamp, campaign_id) AS row,
           campaign_id::VARCHAR AS campaign_id, event_timestamp::TIMESTAMP AS event_timestamp
    FROM given
"""

# Every auction falls into the first moment after it; a moment's totals are those of all moments up to it, so that each
# auction is counted once however many moments there are.
_TOTALS = """
    CREATE TABLE totals AS
    WITH fallen AS (
        SELECT s.row,
               max(a.occurred_at) AS last_at,
               min(a.occurred_at) AS first_at,
               arg_max(zone, a.occurred_at) AS zone,
               count(*) AS auctions,
               sum(click) AS clicks,
               sum(predicted_ctr) AS predicted_clicks,
               count(conversion_value) AS conversions_known
        FROM auctions a
        ASOF JOIN spine s ON a.campaign_id = s.campaign_id AND a.occurred_at < s.event_timestamp
        GROUP BY s.row
    ), converted AS (
        SELECT s.row, count(*) AS n
        FROM (SELECT campaign_id, counted_at FROM auctions WHERE conversion_value > 0) a
        ASOF JOIN spine s ON a.campaign_id = s.campaign_id AND a.counted_at < s.event_timestamp
        GROUP BY s.row
    )
    SELECT s.row,
           max(last_at) OVER before AS last_at,
           min(first_at) OVER before AS first_at,
           last_value(zone IGNORE NULLS) OVER before AS zone,
           sum(auctions) OVER before AS auctions,
           sum(clicks) OVER before AS clicks,
           sum(predicted_clicks) OVER before AS predicted_clicks,
           coalesce(sum(n) OVER before, 0) AS conversions,
           sum(conversions_known) OVER before AS conversions_known
    FROM spine s LEFT JOIN fallen USING (row) LEFT JOIN converted USING (row)
    WINDOW before AS (PARTITION BY campaign_id ORDER BY event_timestamp ROWS UNBOUNDED PRECEDING)
"""

# Of clicks that are young at the moment, how many are as if nothing of them could have come yet.
_YOUNG = """
    CREATE TABLE young AS
    SELECT s.row, sum(click * (1 - share)) AS clicks
    FROM spine s
    JOIN (SELECT *, {campaign} AS whose FROM auctions WHERE click > 0) a ON a.campaign_id = s.campaign_id
        AND a.occurred_at < s.event_timestamp AND a.occurred_at >= s.event_timestamp - to_hours({hours})
    JOIN ({delays}) d
        ON d.whose = a.whose AND d.hour = floor(epoch(s.event_timestamp - a.occurred_at) / 3600)::BIGINT
    GROUP BY s.row
"""

# `age`: days from the auction to the moment. Recent ones only: all of them for every moment would be a square.
_RECENT = """
    CREATE VIEW recent AS
    SELECT s.row, a.*, date_diff('second', a.occurred_at, s.event_timestamp) / 86400.0 AS age
    FROM spine s JOIN auctions a ON a.campaign_id = s.campaign_id
        AND a.occurred_at < s.event_timestamp AND a.occurred_at >= s.event_timestamp - INTERVAL 7 DAY
"""

#: What decides the relations, for the name of a snapshot.
STATEMENTS = (*auctions.STATEMENTS, _SPINE, _TOTALS, _YOUNG, _RECENT)


def open_history(tables: Tables, spine: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """A connection with the relations that the groups read.

    `spine` (row, campaign_id, event_timestamp), `auctions` (see `features.auctions.sql`), `totals` (row, sums
    over all that each row of the spine may know), `young` (row, clicks whose conversions are still to come) and
    `recent`, of these the auctions of the week before. What comes at
    the moment itself is being bid for, and known to nobody.

    Args:
        spine: columns campaign_id and event_timestamp, in any order, without duplicates.
    """
    db = duckdb.connect()
    db.register("given", spine[["campaign_id", "event_timestamp"]])
    delay = delayed.learn(tables)
    db.execute(f"CREATE TABLE auctions AS {auctions.sql(tables, delay)}")
    for statement in (_SPINE, _TOTALS, _RECENT):
        db.execute(statement)
    db.execute(_YOUNG.format(campaign=delay.whose(), hours=delay.hours, delays=delay.sql()))
    return db
