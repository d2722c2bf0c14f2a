"""Feedback whose file may be damaged or away: decisions go on without it, and it catches up when it is there again."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from serving.decisions.feedback import Feedback, Observed, Status
from serving.decisions.metrics import FAULTS
from serving.health.backoff import Backoff
from serving.records import reading

log = logging.getLogger("adloop.decisions")

#: Decisions that are told at once when feedback catches up.
BATCH = 1000


class FeedbackAway(ConnectionError):
    """Feedback cannot be taken now: it is to be told again."""


class Intake:
    """Takes feedback and expects decisions as `Feedback` does.

    Decisions that it could not be told are in the log, and are told from there when the file can be opened again. A new
    file, which somebody put in a damaged one's place, learns of the decisions in the log too.
    """

    def __init__(self, path: Path, open_: Callable[[], Feedback], logged: Path) -> None:
        self._path, self._open, self._logged = path, open_, logged
        self._feedback: Feedback | None = None
        self._owes = False
        self._fault: str | None = None
        self._backoff, self._turn = Backoff(), Lock()
        self._opened()

    def fault(self) -> str | None:
        """Why feedback is not taken, and what to do; None where it is. Tries to open it where it is due."""
        feedback = self._opened()
        return self._fault or (feedback.failing if feedback is not None else "") or None

    @property
    def standing(self) -> dict[str, object]:
        """As `Feedback.standing`."""
        feedback = self._feedback
        return {"state": self._fault, "set_aside": None} if feedback is None else feedback.standing

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """As `Feedback.take`. Raises `FeedbackAway` too: nothing was accepted then."""
        feedback = self._opened()
        if feedback is None:
            raise FeedbackAway(self._fault)
        try:
            return feedback.take(observed)
        except sqlite3.Error as fault:
            self._failed(fault)
            raise

    def expect(self, written: Sequence[bytes]) -> None:
        """As `Feedback.expect`; where it is away, the log keeps them for it."""
        feedback = self._opened()
        if feedback is None:
            self._owes = True
            return
        try:
            feedback.expect(written)
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
        """Tell it of all decisions in the log: those it knows already change nothing."""
        try:
            if self._logged.exists():
                for stretch in reading.stretches(self._logged, {}):
                    for start in range(0, len(stretch.written), BATCH):
                        feedback.expect(stretch.written[start : start + BATCH])
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
        mend = "put a copy back, or move it away: a new one learns the decisions from the log"
        what = f"{self._path} does not take feedback: {fault}; {mend if damaged else 'it is tried again'}"
        if self._fault is None:
            log.error("%s", what)
        self._fault = what
