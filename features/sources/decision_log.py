"""What the decision endpoint bid, and what came of it: its log and its feedback as a table of auctions.

A row an auction that was bid for. Of one that was won the price is known, by what the impression cost; of one that was
lost only that it is above the bid: `won` says which, and `features.censored` what follows. An auction that nothing was
told of is lost, as the endpoint itself takes it; those after the last thing told are not known yet, and left out.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd

from features.lake import Place, Remote, place
from features.records import DECISIONS, EVENT_TABLE, EVENTS, FEEDBACK, LOG, SUFFIX, recorded
from features.settings import Settings
from features.tables import literal, only, path

NAME, TABLES = "decision_log", ("auctions",)

#: What came of each decision. Its cost is the first that was told, or the last correction, as the endpoint charges it;
#: refunds net with conversions. No event is later than when it was told; where that is not known, none is to come.
_CAME = """
    WITH paid AS (
        SELECT account, decision, cost, row_number() OVER (
            PARTITION BY account, decision
            ORDER BY kind <> 'correction', iif(kind = 'correction', -at, 0),
                     iif(kind = 'correction', -1, 1) * coalesce({told}, at)
        ) AS place FROM event WHERE cost IS NOT NULL
    )
    SELECT account AS account_id, decision AS decision_id,
           max(kind = 'impression') AS impression, max(kind IN ('impression', 'click')) AS won,
           max(kind = 'click') AS click, total(kind = 'conversion' AND value >= 0) AS conversions,
           coalesce(paid.cost, 0.0) AS cost,
           max(iif(kind = 'impression' AND event.cost >= 0, paid.cost, NULL)) AS price,
           max(total(value) FILTER (WHERE kind = 'conversion'), 0.0) AS value,
           min(at) FILTER (WHERE kind = 'click') AS clicked_at,
           min(at) FILTER (WHERE kind = 'conversion' AND value >= 0) AS converted_at,
           max(iif({told} IS NOT NULL, min(at, {told} / 1e9), iif(at <= :now, at, NULL))) AS told_at
    FROM event LEFT JOIN paid USING (account, decision) WHERE coalesce(place, 1) = 1
    GROUP BY account, decision
"""

_EVENT = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SHARED = """
    SELECT event ->> 'account_id', event ->> 'event_id', event ->> 'decision_id', event ->> 'kind',
           (event ->> 'occurred_at')::DOUBLE, (event ->> 'cost')::DOUBLE, (event ->> 'value')::DOUBLE, 1,
           coalesce((event ->> 'told')::BIGINT, (logged_at * 1e9)::BIGINT) AS told
    FROM (SELECT logged_at, entry -> '$.event' AS event FROM read_parquet(?, union_by_name = true)) ORDER BY told
"""

# Asked again, a bid is what it was first. What a click or winning was expected to bring is what the caller said; only
# where that said nothing of clicks, what the model did. A bid on no prediction at all teaches nothing.
_AUCTIONS = """
    WITH bids AS (
        SELECT *, row_number() OVER (PARTITION BY account_id, decision_id ORDER BY logged_at) AS time,
               try_cast(entry ->> '$.opportunity.features.predicted_ctr' AS DOUBLE) AS said_ctr,
               try_cast(entry ->> '$.opportunity.features.predicted_value' AS DOUBLE) AS said_value
        FROM read_parquet([{parts}]) WHERE asked = 'bid' AND action = 'bid'
    ), joined AS (
        SELECT * REPLACE (coalesce(won, 0)::DOUBLE AS won),
               coalesce(said_ctr, CASE WHEN said_value <= 1 THEN said_value END, predicted_ctr) AS expected
        FROM bids LEFT JOIN came USING (account_id, decision_id)
        WHERE time = 1 AND decided_at <= (SELECT max(told_at) FROM came)
    )
    SELECT campaign_id, {decided_at} AS occurred_at, entry ->> '$.predictions.features.zone' AS zone, channel, won,
           CASE WHEN won = 1 THEN price ELSE amount END AS market_price,
           expected AS predicted_ctr, said_value AS predicted_value,
           coalesce(click, 0)::DOUBLE AS click, greatest(coalesce(value, 0), 0)::DOUBLE AS conversion_value,
           {clicked_at} AS clicked_at, {converted_at} AS converted_at,
           account_id, decision_id, amount AS bid, arm, propensity, explored
    FROM joined
    WHERE market_price IS NOT NULL AND expected BETWEEN 0 AND 1 AND coalesce(said_value, 0) >= 0
    ORDER BY decided_at, decision_id
"""


def files(source: str, settings: Settings) -> list[str]:
    """The files of the endpoint's own log (`decision_log`), or of a folder with `log/` and what came of it; none where
    the source is neither. Raises `FileNotFoundError` where the endpoint has logged nothing yet."""
    root = _root(source, settings)
    parts = sorted((root / LOG).glob(f"*{SUFFIX}"))
    # What SQLite has not yet moved into the file itself stands beside it.
    told: list[Place] = [file for file in (root / FEEDBACK, root / f"{FEEDBACK}-wal") if file.is_file()]
    told += sorted((root / EVENTS).glob(f"*{SUFFIX}"))
    if parts and told:
        return [str(file) for file in (*parts, *told)]
    if source == NAME:
        raise FileNotFoundError(f"{root}: no decision that something came of is logged there yet")
    return []


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the canonical table into `destination`; beside its columns those of the decision: account, id, bid, arm,
    propensity, explored, and when it was clicked and converted."""
    root = _root(source, settings)
    parts = ", ".join(path(str(file)) for file in sorted((root / LOG).glob(f"*{SUFFIX}")))
    moments = {
        name: f"make_timestamp(round({name} * 1e6)::BIGINT)" for name in ("decided_at", "clicked_at", "converted_at")
    }
    came = came_of(root)
    with _reading(root) as db:
        db.register("came", came)
        target = literal(str(destination / "auctions.parquet"))
        db.execute(f"COPY ({_AUCTIONS.format(parts=parts, **moments)}) TO {target} (FORMAT parquet)")


def came_of(root: Place) -> pd.DataFrame:
    """What came of each decision that something was told of, by the folder of an endpoint, or of several: a row each.

    `impression`, `click` and `won` are 0 or 1, `conversions` a count; `cost` and `value` in the account's currency;
    `price` what the impression cost, where that was told; `clicked_at`, `converted_at` and `told_at` in Unix seconds.
    """
    kept = root / FEEDBACK if isinstance(root, Path) and (root / FEEDBACK).is_file() else None
    shared = sorted(only(str(part)) for part in (root / EVENTS).glob(f"*{SUFFIX}"))
    with closing(_opened(kept) if kept and not shared else _gathered(kept, shared, root)) as db:
        columns = [name for _, name, *_ in db.execute("PRAGMA table_info(event)")]
        query = _CAME.format(told="told" if "told" in columns else "NULL")
        return pd.read_sql_query(query, db, params={"now": time.time()})


def _reading(root: Place) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    if isinstance(root, Remote):
        db.register_filesystem(root.system)
    return db


def _opened(kept: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{kept.resolve().as_uri()}?mode=ro", uri=True, timeout=30)


def _gathered(kept: Path | None, shared: Sequence[str], root: Place) -> sqlite3.Connection:
    """The events that replicas recorded, each once, as it was first told; and before them those of one machine."""
    db = sqlite3.connect("")  # a file of its own, gone when it is closed
    db.execute(EVENT_TABLE)
    if kept is not None:
        with closing(_opened(kept)) as before:
            db.executemany(_EVENT, before.execute("SELECT * FROM event"))
    if shared:
        with _reading(root) as parts:
            found = parts.execute(_SHARED, [shared])
            while rows := found.fetchmany(10_000):
                db.executemany(_EVENT, rows)
    return db


def _root(source: str, settings: Settings) -> Place:
    return recorded(settings) / DECISIONS if source == NAME else place(source, settings)
