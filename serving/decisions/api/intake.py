"""Feedback whose database may be damaged or unavailable: decisions continue, and it catches up afterwards."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from serving.decisions.feedback import Feedback, Observed, Status
from serving.decisions.metrics import FAULTS
from serving.health.backoff import Backoff
from serving.records import reading
from serving.records.columns import LoggedRecord

log = logging.getLogger("adloop.decisions")

#: Decisions per call while catching up.
BATCH = 1000


class FeedbackAway(ConnectionError):
    """Feedback is unavailable; the client must retry."""


class Intake:
    """`Feedback` that may be unavailable.

    Decisions made meanwhile are read from the decision log once the file opens again. A new file in place of a damaged
    one is filled from the log too.
    """

    def __init__(self, path: Path, open_: Callable[[], Feedback], logged: Path) -> None:
        self._path, self._open, self._logged = path, open_, logged
        self._feedback: Feedback | None = None
        self._owes = False
        self._fault: str | None = None
        self._backoff, self._turn = Backoff(), Lock()
        self._opened()

    def fault(self) -> str | None:
        """Why feedback is unavailable, and what to do; None where it is not. Reopens the file when a retry is due."""
        feedback = self._opened()
        return self._fault or (feedback.failing if feedback is not None else "") or None

    @property
    def standing(self) -> dict[str, object]:
        """As `Feedback.standing`."""
        feedback = self._feedback
        return {"state": self._fault, "set_aside": None} if feedback is None else feedback.standing

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """As `Feedback.take`. Raises `FeedbackAway` if nothing was accepted."""
        feedback = self._opened()
        if feedback is None:
            raise FeedbackAway(self._fault)
        try:
            return feedback.take(observed)
        except sqlite3.Error as fault:
            self._failed(fault)
            raise

    def expect(self, records: Sequence[LoggedRecord]) -> None:
        """As `Feedback.expect`; while it is unavailable, the decisions stay in the log."""
        feedback = self._opened()
        if feedback is None:
            self._owes = True
            return
        try:
            feedback.expect(records)
        except sqlite3.Error as fault:
            self._owes = True
            self._failed(fault)

    def close(self) -> None:
        if self._feedback is not None:
            self._feedback.close()

    def _opened(self) -> Feedback | None:
        with self._turn:
            if self._feedback is None and self._backoff.due:
                self._backoff.tried()
                new = not self._path.exists()
                try:
                    self._feedback = self._open()
                    self._fault = None
                except (sqlite3.Error, OSError) as fault:
                    self._told(fault)
                    return None
                if self._owes or new:
                    self._catch_up(self._feedback)
            return self._feedback

    def _catch_up(self, feedback: Feedback) -> None:
        """Register all decisions of the log. Idempotent."""
        try:
            if self._logged.exists():
                for stretch in reading.stretches(self._logged, {}):
                    for start in range(0, len(stretch.written), BATCH):
                        feedback.expect([LoggedRecord(line) for line in stretch.written[start : start + BATCH]])
            self._owes = False
        except sqlite3.Error as fault:
            self._owes = True
            self._close(fault)

    def _failed(self, fault: sqlite3.Error) -> None:
        with self._turn:
            self._close(fault)

    def _close(self, fault: Exception) -> None:
        if self._feedback is not None:
            self._feedback.close()
            self._feedback = None
        self._told(fault)

    def _told(self, fault: Exception) -> None:
        FAULTS["feedback"].inc()
        self._backoff.failed()
        damaged = isinstance(fault, sqlite3.DatabaseError) and not isinstance(fault, sqlite3.OperationalError)
        mend = "restore a copy, or move it away: a new file is filled from the decision log"
        what = f"{self._path} cannot be opened for feedback: {fault}; {mend if damaged else 'retrying'}"
        if self._fault is None:
            log.error("%s", what)
        self._fault = what
