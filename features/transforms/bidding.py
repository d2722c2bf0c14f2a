"""Relations of each campaign's auctions before each timestamp of the spine."""

from typing import Any

import pandas as pd

from features import auctions, delayed
from features.database import Database
from features.delayed import Delay
from features.tables import Tables

# Clicks count from when they came.
_HAPPENED = """
    CREATE TABLE happened AS
    SELECT campaign_id, known_at AS at, occurred_at, zone, 1 AS auctions, predicted_ctr AS predicted_clicks,
           (conversion_value IS NOT NULL)::INT AS conversions_known, 0 AS clicks
    FROM auctions
    UNION ALL
    SELECT campaign_id, greatest(known_at, clicked_at), clicked_at, NULL, NULL, NULL, NULL, click
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
        JOIN (SELECT *, lag(event_timestamp) OVER before AS earlier FROM spine
              WINDOW before AS (PARTITION BY campaign_id ORDER BY event_timestamp)) s
            ON h.campaign_id = s.campaign_id AND h.at <= s.event_timestamp
            AND h.at > coalesce(s.earlier, TIMESTAMP '0001-01-01')
        GROUP BY s.row
    ), converted AS (
        SELECT s.row, count(*) AS n, max(converted_at) AS last_at
        FROM spine s JOIN waits w ON w.moment = s.event_timestamp
        JOIN (SELECT * FROM auctions WHERE conversion_value > 0) a ON a.campaign_id = s.campaign_id
            AND a.known_at <= s.event_timestamp
            AND coalesce(a.converted_at, a.occurred_at + w.hours * INTERVAL 1 HOUR) < s.event_timestamp
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
        AND d.hour = floor(date_diff('microsecond', a.occurred_at, s.event_timestamp) / 3600e6)::BIGINT
    GROUP BY s.row
"""

# `age`: days from the auction to the moment. Recent ones only: all of them for every moment would be a square.
_RECENT = """
    CREATE OR REPLACE VIEW recent AS
    SELECT s.row, a.* EXCLUDE (click), CASE WHEN clicked_at > s.event_timestamp THEN 0 ELSE click END AS click,
           date_diff('second', a.occurred_at, s.event_timestamp) / 86400.0 AS age
    FROM spine s JOIN auctions a ON a.campaign_id = s.campaign_id
        AND a.known_at <= s.event_timestamp AND a.occurred_at >= s.event_timestamp - INTERVAL 7 DAY
"""

#: Statements that define the relations; part of the snapshot's hash.
STATEMENTS = (*auctions.STATEMENTS, _HAPPENED, _SPINE, _TOTALS, _YOUNG, _RECENT)


def read_events(db: Database, tables: Tables) -> None:
    """Make `auctions` (see `features.auctions.sql`) and `happened`: auctions and clicks, each from the moment on that
    it was known."""
    db.execute(f"CREATE TABLE auctions AS {auctions.sql(tables, Delay.none())}")
    db.execute(_HAPPENED)


def stand_at(db: Database, tables: Tables, spine: pd.DataFrame) -> None:
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


def _learn_delays(db: Database, tables: Tables, moments: "pd.Series[pd.Timestamp]") -> None:
    """Make `delays` (moment, whose, hour, share) and `waits` (moment, hours): how late conversions are, as far as each
    moment can know."""
    learnt = {
        pd.Timestamp(moment): delayed.learn_by(db, tables, str(pd.Timestamp(moment))) for moment in moments.unique()
    }
    hours = [
        (moment, whose, hour, share)
        for moment, delay in learnt.items()
        for whose, shares in delay.shares.items()
        for hour, share in enumerate(shares.tolist())
    ]
    _register(db, "delays", hours, {"moment": "datetime64[us]", "whose": "string", "hour": "int64", "share": "float64"})
    waits = [(moment, delay.wait_h) for moment, delay in learnt.items()]
    _register(db, "waits", waits, {"moment": "datetime64[us]", "hours": "int64"})


def _register(db: Database, name: str, rows: list[tuple[Any, ...]], types: dict[str, str]) -> None:
    db.register(name, pd.DataFrame(rows, columns=list(types)).astype(types))
