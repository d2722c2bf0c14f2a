"""What the decision endpoint bid, and what came of it: its log and its feedback as a table of auctions.

A row an auction that was bid for. Of one that was won the price is known, by what the impression cost; of one that was
lost only that it is above the bid: `won` says which, and `features.censored` what follows. An auction that nothing was
told of is lost, as the endpoint itself takes it; those after the last thing told are not known yet, and left out.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd

from features import lake
from features.settings import Settings
from features.tables import literal

NAME, TABLES = "decision_log", ("auctions",)
_LOG, _FEEDBACK = "log", "feedback.db"

_CAME = """
    SELECT account AS account_id, decision AS decision_id,
           max(kind IN ('impression', 'click')) AS won, max(kind = 'click') AS click,
           sum(cost) FILTER (WHERE kind = 'impression') AS price,
           total(value) FILTER (WHERE kind = 'conversion') AS value,
           min(at) FILTER (WHERE kind = 'click') AS clicked_at,
           min(at) FILTER (WHERE kind = 'conversion') AS converted_at,
           max(at) AS told_at
    FROM event GROUP BY account, decision
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
    SELECT campaign_id, {decided_at} AS occurred_at, entry ->> '$.predictions.zone' AS zone, channel, won,
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
    """The files of the endpoint's own log (`decision_log`), or of a folder with `log/` and `feedback.db`; none where
    the source is neither. Raises `FileNotFoundError` where the endpoint has logged nothing yet."""
    if lake.is_remote(source):
        return []
    root = _root(source, settings)
    parts = sorted((root / _LOG).glob("*.parquet"))
    # What SQLite has not yet moved into the file itself stands beside it.
    told = [file for file in (root / _FEEDBACK, root / f"{_FEEDBACK}-wal") if file.is_file()]
    if parts and told:
        return [str(file) for file in (*parts, *told)]
    if source == NAME:
        raise FileNotFoundError(f"{root}: no decision that something came of is logged there yet")
    return []


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the canonical table into `destination`; beside its columns those of the decision: account, id, bid, arm,
    propensity, explored, and when it was clicked and converted."""
    root = _root(source, settings)
    parts = ", ".join(literal(file) for file in files(source, settings) if file.endswith(".parquet"))
    moments = {
        name: f"make_timestamp(round({name} * 1e6)::BIGINT)" for name in ("decided_at", "clicked_at", "converted_at")
    }
    with closing(sqlite3.connect(f"{(root / _FEEDBACK).resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
        came = pd.read_sql_query(_CAME, db)
    with duckdb.connect() as db:
        db.register("came", came)
        target = literal(str(destination / "auctions.parquet"))
        db.execute(f"COPY ({_AUCTIONS.format(parts=parts, **moments)}) TO {target} (FORMAT parquet)")


def _root(source: str, settings: Settings) -> Path:
    return settings.home / "decisions" if source == NAME else Path(source)
