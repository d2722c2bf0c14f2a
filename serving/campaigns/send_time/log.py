"""Remembers each drawn hour with its propensity, and joins it to what became of the e-mail."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.campaigns.send_time.hours import SentEmail
from serving.campaigns.send_time.policy import SendHour
from serving.integrations.change import Change
from serving.integrations.webhooks.store import EventStore

FILE = "campaigns/send_times.db"
#: Seconds after an e-mail reached its recipient in which a click or a purchase counts as a response; those that are
#: younger are not judged yet.
WINDOW_S = 3 * 86_400.0
_TABLE = """
CREATE TABLE IF NOT EXISTS drawn (marker TEXT PRIMARY KEY, customer_id TEXT NOT NULL, segment TEXT NOT NULL,
  arm TEXT NOT NULL, hour INTEGER NOT NULL, propensity REAL NOT NULL, drawn_at REAL NOT NULL) WITHOUT ROWID
"""
#: Whether a customer bought between two Unix times.
Bought = Callable[[str, float, float], bool]


@dataclass(frozen=True, slots=True)
class JudgedEmail:
    """A drawn hour whose e-mail reached its recipient long enough ago."""

    drawn: SendHour
    responded: bool

    @property
    def sent(self) -> SentEmail:
        return SentEmail(self.drawn.customer_id, self.drawn.segment, self.drawn.hour, self.responded)


class SendTimeLog:
    """The drawn hours of a home."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, change: Change, drawn: SendHour) -> SendHour:
        """Keep what was drawn for an e-mail, before it leaves; returns what is kept, which is the first draw."""
        row = change.marker, drawn.customer_id, drawn.segment, drawn.arm, drawn.hour, drawn.propensity, time.time()
        with closing(self._connect()) as db, db:
            db.execute("INSERT OR IGNORE INTO drawn VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            query = "SELECT customer_id, segment, arm, hour, propensity FROM drawn WHERE marker = ?"
            return SendHour(*db.execute(query, (change.marker,)).fetchone())

    def judged(self, events: EventStore, now: float, bought: Bought = lambda *_: False) -> list[JudgedEmail]:
        """What became of the e-mails. Clicks of people and purchases are responses; opens are none."""
        reached = {one.marker: one for one in events.reached() if one.at + WINDOW_S <= now}
        found = list[JudgedEmail]()
        for marker, *told in self._rows():
            email = reached.get(marker)
            if email is not None:
                drawn, end = SendHour(*told), email.at + WINDOW_S
                clicked = email.clicked_at is not None and email.clicked_at <= end
                found.append(JudgedEmail(drawn, clicked or bought(drawn.customer_id, email.at, end)))
        return found

    def _rows(self) -> list[tuple[Any, ...]]:
        if not self.path.is_file():
            return []
        with closing(self._connect()) as db:
            query = "SELECT marker, customer_id, segment, arm, hour, propensity FROM drawn ORDER BY drawn_at, marker"
            return db.execute(query).fetchall()

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(_TABLE)
        return db
