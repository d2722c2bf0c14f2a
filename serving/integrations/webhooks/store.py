"""Keeps events of platforms, each once, in one SQLite file of a home."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.integrations.webhooks.events import Delivery

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "platforms/events.db"
#: How long used tokens are remembered: longer than their signatures are taken.
_TOKENS_S = 3 * 86_400
_TABLES = """
CREATE TABLE IF NOT EXISTS events (platform TEXT, event_id TEXT, account TEXT NOT NULL, kind TEXT NOT NULL,
  occurred_at REAL NOT NULL, message_id TEXT NOT NULL, marker TEXT NOT NULL, customer_id TEXT NOT NULL,
  campaign_id TEXT NOT NULL, machine INTEGER NOT NULL, PRIMARY KEY (platform, event_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_messages ON events (platform, account, kind, message_id);
CREATE TABLE IF NOT EXISTS tokens (platform TEXT, token TEXT, used_at REAL NOT NULL,
  PRIMARY KEY (platform, token)) WITHOUT ROWID;
"""
#: A row for each message that reached a customer, with when a person first clicked in it.
_TOUCHES = """
SELECT d.customer_id, min(d.occurred_at), d.campaign_id,
  (SELECT min(c.occurred_at) FROM events c WHERE c.platform = d.platform AND c.account = d.account
    AND c.kind = 'clicked' AND c.message_id = d.message_id AND NOT c.machine)
FROM events d WHERE d.platform = ? AND d.account = ? AND d.kind = 'delivered' AND d.customer_id != ''
  AND d.campaign_id != '' GROUP BY d.message_id HAVING min(d.occurred_at) >= ? AND min(d.occurred_at) < ?
ORDER BY 2, 1
"""


class Replayed(ValueError):
    """The webhook came before."""


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Opens of e-mails of a campaign, by people and by machines. Only the former may be taken for interest."""

    platform: str
    campaign_id: str
    people: int
    machines: int

    @property
    def machine_share(self) -> float:
        return self.machines / (self.people + self.machines)


@dataclass(frozen=True, slots=True)
class ReachedEmail:
    """An e-mail of adloop that reached its recipient. `clicked_at`: when a person first clicked in it, in Unix seconds;
    None where nobody did."""

    marker: str
    at: float
    clicked_at: float | None


class EventStore:
    """The events of a home. Nothing is made before the first event comes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, delivery: Delivery) -> int:
        """Keep events; returns how many are new. All are on the disk afterwards, or none. Raises `Replayed`."""
        now = time.time()
        rows = [
            (
                *(one.platform, one.event_id, one.account, one.kind, one.occurred_at, one.message_id, one.marker),
                *(one.customer_id, one.campaign_id, one.machine),
            )
            for one in delivery.events
        ]
        with closing(self._connect()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM tokens WHERE used_at < ?", (now - _TOKENS_S,))
            if delivery.token:
                try:
                    db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (delivery.platform, delivery.token, now))
                except sqlite3.IntegrityError:
                    raise Replayed(f"{delivery.platform}: this webhook came before") from None
            marks = ", ".join("?" * 10)
            return db.executemany(f"INSERT OR IGNORE INTO events VALUES ({marks})", rows).rowcount  # noqa: S608

    def touches(self, platform: str, account: str, day: date) -> "pa.Table | None":
        """Table `touches`: the messages that reached customers on a day in UTC; None where there are none."""
        import pyarrow as pa

        start = datetime.combine(day, datetime.min.time(), UTC).timestamp()
        rows = self._rows(_TOUCHES, platform, account, start, start + 86_400)
        if not rows:
            return None
        customers, reached, campaigns, clicked = zip(*rows, strict=True)
        return pa.table(
            {
                "customer_id": customers,
                "occurred_at": pa.array([_utc(one) for one in reached], pa.timestamp("us")),
                "campaign_id": campaigns,
                "channel": ["email"] * len(rows),
                "responded_at": pa.array([_utc(one) for one in clicked], pa.timestamp("us")),
            }
        )

    def reached(self) -> list[ReachedEmail]:
        """The e-mails of adloop that reached their recipients."""
        query = (
            "SELECT marker, min(occurred_at) FILTER (WHERE kind = 'delivered') AS at,"
            " min(occurred_at) FILTER (WHERE kind = 'clicked' AND NOT machine) FROM events"
            " WHERE marker != '' GROUP BY marker HAVING at IS NOT NULL ORDER BY at, marker"
        )
        return [ReachedEmail(*row) for row in self._rows(query)]

    def opens(self) -> list[OpenCount]:
        """Opens by campaign."""
        query = (
            "SELECT platform, campaign_id, sum(NOT machine), sum(machine) FROM events WHERE kind = 'opened'"
            " GROUP BY platform, campaign_id ORDER BY platform, campaign_id"
        )
        return [OpenCount(*row) for row in self._rows(query)]

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        if not self.path.is_file():
            return []
        with closing(self._connect()) as db:
            return db.execute(query, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # the platform tells an event only once that was taken
        db.executescript(_TABLES)
        return db


def _utc(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
