"""Relations of each campaign's auctions before each timestamp of the spine."""

import duckdb
import pandas as pd

from features import auctions, delayed
from features.delayed import Delay
from features.tables import Tables

# Clicks count from when they came.
_HAPPENED = """
    CREATE TABLE happened AS
    SELECT campaign_id, known_at AS at, occurred_at, zone, 1 AS auctions, predicted_ctr AS predicted_clicks,
           (conversion_value IS NOT NULL)::INT AS conversions_known, 0 AS clicks
    FROM auctions
    UNION ALL BY NAME
    SELECT campaign_id, greatest(known_at, clicked_at) AS at, clicked_at AS occurred_at, click AS clicks
    FROM auctions WHERE click > 0
"""

_SPINE = """
    CREATE OR REPLACE TABLE spine AS
    SELECT row_number() OVER (ORDER BY event_timestamp, campaign_id) AS row,
           campaign_id::VARCHAR AS campaign_id, event_timestamp::TIMESTAMP AS event_timestamp
    FROM given
"""

# All that happened falls into the first moment after it; a moment's totals are those of all moments up to it, so that
# each auction is counted once however many moments there are. Conversions are few, and counted from when they came, or
# so many hours after the auction as is known at the moment that they take.
_TOTALS = """
    CREATE OR REPLACE TABLE totals AS
    WITH fallen AS (
        SELECT s.row,
               max(h.occurred_at) AS last_at,
               min(h.occurred_at) FILTER (auctions > 0) AS first_at,
               arg_max(zone, h.occurred_at) FILTER (auctions > 0) AS zone,
               sum(auctions) AS auctions,
               sum(clicks) AS clicks,
               sum(predicted_clicks) AS predicted_clicks,
               sum(conversions_known) AS conversions_known
        FROM happened h
        ASOF JOIN spine s ON h.campaign_id = s.campaign_id AND h.at <= s.event_timestamp
        GROUP BY s.row
    ), converted AS (
        SELECT s.row, count(*) AS n, max(converted_at) AS last_at
        FROM spine s JOIN waits w ON w.moment = s.event_timestamp
        JOIN (SELECT * FROM auctions WHERE conversion_value > 0) a ON a.campaign_id = s.campaign_id
            AND a.known_at <= s.event_timestamp
            AND coalesce(a.converted_at, a.occurred_at + to_hours(w.hours)) < s.event_timestamp
        GROUP BY s.row
    )
    SELECT s.row,
           greatest(max(fallen.last_at) OVER before, converted.last_at) AS last_at,
           min(first_at) OVER before AS first_at,
           last_value(zone IGNORE NULLS) OVER before AS zone,
           sum(auctions) OVER before AS auctions,
           coalesce(sum(clicks) OVER before, 0) AS clicks,
           sum(predicted_clicks) OVER before AS predicted_clicks,
           coalesce(n, 0) AS conversions,
           sum(conversions_known) OVER before AS conversions_known
    FROM spine s LEFT JOIN fallen USING (row) LEFT JOIN converted USING (row)
    WINDOW before AS (PARTITION BY campaign_id ORDER BY event_timestamp ROWS UNBOUNDED PRECEDING)
"""

# Of clicks that are young at the moment, how many are as if nothing of them could have come yet.
_YOUNG = """
    CREATE OR REPLACE TABLE young AS
    SELECT s.row, sum(click * (1 - share)) AS clicks
    FROM spine s
    JOIN (SELECT * FROM auctions WHERE click > 0) a ON a.campaign_id = s.campaign_id
        AND a.known_at <= s.event_timestamp AND coalesce(a.clicked_at, a.known_at) <= s.event_timestamp
    LEFT JOIN (SELECT DISTINCT moment, whose FROM delays) own
        ON own.moment = s.event_timestamp AND own.whose = a.campaign_id
    JOIN delays d ON d.moment = s.event_timestamp AND d.whose = coalesce(own.whose, '')
        AND d.hour = floor(epoch(s.event_timestamp - a.occurred_at) / 3600)::BIGINT
    GROUP BY s.row
"""

# `age`: days from the auction to the moment. Recent ones only: all of them for every moment would be a square.
_RECENT = """
    CREATE OR REPLACE VIEW recent AS
    SELECT s.row, a.* REPLACE (CASE WHEN clicked_at > s.event_timestamp THEN 0 ELSE click END AS click),
           date_diff('second', a.occurred_at, s.event_timestamp) / 86400.0 AS age
    FROM spine s JOIN auctions a ON a.campaign_id = s.campaign_id
        AND a.known_at <= s.event_timestamp AND a.occurred_at >= s.event_timestamp - INTERVAL 7 DAY
"""

#: Statements that define the relations; part of the snapshot's hash.
STATEMENTS = (*auctions.STATEMENTS, _HAPPENED, _SPINE, _TOTALS, _YOUNG, _RECENT)


def read_events(db: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    """Make `auctions` (see `features.auctions.sql`) and `happened`: auctions and clicks, each from the moment on that
    it was known."""
    db.execute(f"CREATE TABLE auctions AS {auctions.sql(tables, Delay.none())}")
    db.execute(_HAPPENED)


def stand_at(db: duckdb.DuckDBPyConnection, tables: Tables, spine: pd.DataFrame) -> None:
    """Make `spine` (row, campaign_id, event_timestamp), `totals` (row, sums over all that each row of the spine may
    know), `young` (row, clicks whose conversions are still to come) and `recent`, the auctions of the week before. What
    comes at the moment itself is being bid for, and known to nobody. What was made for another spine is replaced.

    Args:
        spine: columns campaign_id and event_timestamp, in any order, without duplicates.
    """
    db.register("given", spine[["campaign_id", "event_timestamp"]])
    _learn_delays(db, tables, spine["event_timestamp"])
    for statement in (_SPINE, _TOTALS, _YOUNG, _RECENT):
        db.execute(statement)


def _learn_delays(db: duckdb.DuckDBPyConnection, tables: Tables, moments: "pd.Series[pd.Timestamp]") -> None:
    """Make `delays` (moment, whose, hour, share) and `waits` (moment, hours): how late conversions are, as far as each
    moment can know."""
    db.execute("CREATE OR REPLACE TABLE delays (moment TIMESTAMP, whose VARCHAR, hour BIGINT, share DOUBLE)")
    db.execute("CREATE OR REPLACE TABLE waits (moment TIMESTAMP, hours BIGINT)")
    for moment in moments.unique():
        at = str(pd.Timestamp(moment))
        delay = delayed.learn_by(db, tables, at)
        db.execute("INSERT INTO waits VALUES ($at::TIMESTAMP, $hours)", {"at": at, "hours": delay.wait_h})
        db.execute(f"INSERT INTO delays SELECT $at::TIMESTAMP, whose, hour, share FROM ({delay.sql()})", {"at": at})
