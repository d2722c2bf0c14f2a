"""Feedback shared by replicas: joined in Redis, recorded by the replica that received it.

A replica records an event on its disk before counting it, under an id that counts once. A client without an answer may
retry at any replica; readers of the records skip repeated ids.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from serving.decisions.attribution import facts, followed, logged
from serving.decisions.feedback import BATCH, FLAGGED, Observed, Status
from serving.decisions.params import DecisionParams
from serving.decisions.state.store import FeedbackEvent, Flag, StoreUnavailable
from serving.decisions.state.wire import expecting
from serving.records.columns import LoggedRecord
from serving.records.writer import LogUnavailable, RecordLog

if TYPE_CHECKING:
    from serving.decisions.state.redis import RedisStore

log = logging.getLogger("adloop.decisions")

Answer = TypeVar("Answer")

#: Most decisions kept in memory while the store is unavailable; later ones stay in the decision log.
LIMIT = 100_000


class SharedFeedback:
    """The same interface as `feedback.Feedback`.

    Args:
        place: folder for the records of accepted events.
        flagged: called with the flag of each cost that needs a check.
        keep_days: days after which recorded events are removed, but not before `keeping.remembered_s`; None: never.
    """

    def __init__(
        self,
        place: Path,
        store: "RedisStore",
        params: DecisionParams,
        flagged: Callable[[Flag], None] = lambda flag: None,
        keep_days: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._flagged, self._clock = store, flagged, clock
        self._ahead_s = params.clock.ahead_s
        keep_s = None if keep_days is None else max(keep_days * 86_400, params.keeping.remembered_s)
        self._events = RecordLog(place, keep_s=keep_s)
        self._owed: deque[tuple[str, dict[str, Any]]] = deque()
        self._turn, self._away, self._aside = Lock(), "", 0

    def fault(self) -> str | None:
        """Why feedback is unavailable; None while it works."""
        return self._events.fault() or self._away or None

    @property
    def standing(self) -> dict[str, object]:
        """`counting`, or why not; and the number of events that were set aside."""
        return {"state": self.fault() or "counting", "set_aside": self._aside}

    def expect(self, records: Sequence[LoggedRecord]) -> None:
        """Register logged decisions, so that events can be joined. Keeps them while the store is unavailable.

        Raises `StoreUnavailable` where too many are kept.
        """
        for entry in filter(followed, map(logged, records)):
            account, decision = entry.decision.account_id, entry.decision.decision_id
            try:
                self._owed.append((account, expecting(account, decision, facts(entry))))
            except (ValueError, TypeError):
                log.exception("decision %s cannot be registered for feedback", decision)
        try:
            self._settle()
        except StoreUnavailable:
            if len(self._owed) > LIMIT:
                raise

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """Accept events; they are recorded and counted when this returns. `again` for a known id.

        Raises `StoreUnavailable` where the store or the disk is unavailable: all events may be reported again, to any
        replica.
        """
        now = self._clock()
        accepted = [one for one in observed if one.occurred_at <= now + self._ahead_s]
        self._record(accepted, now)
        self._settle()
        answers = iter(self._ask(lambda: self._store.take([(_event(one), one.decision_id) for one in accepted])))
        statuses: list[Status] = []
        for one in observed:
            if one.occurred_at > now + self._ahead_s:
                statuses.append("ahead")
                continue
            status, flag = next(answers)
            if flag is not None:
                self._flag(one.account_id, one.event_id, flag)
            statuses.append("flagged" if flag is not None else status)
        return statuses

    def close(self) -> None:
        self._events.close()

    def _record(self, accepted: Sequence[Observed], now: float) -> None:
        try:
            self._events.write(*(orjson.dumps({"logged_at": now, "event": one}) for one in accepted))
            self._events.flush()
        except LogUnavailable as full:
            raise StoreUnavailable(f"events cannot be recorded: {full}") from full

    def _settle(self) -> None:
        """Register the pending decisions in the store."""
        with self._turn:
            while self._owed:
                some = list(islice(self._owed, BATCH))
                for account, event, flag in self._ask(lambda some=some: self._store.expect(some)):  # type: ignore[misc]
                    self._flag(account, event, flag)
                for _ in some:
                    self._owed.popleft()

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        try:
            answer = call()
        except StoreUnavailable as away:
            self._away = f"events are not counted: {away}"
            raise
        self._away = ""
        return answer

    def _flag(self, account: str, event: str, flag: Flag) -> None:
        self._flagged(flag)
        self._aside += flag == "broken"
        log.error("event '%s' of %s: %s", event, account, FLAGGED[flag])


def _event(observed: Observed) -> FeedbackEvent:
    """The event for the store, which adds the decision's facts."""
    return FeedbackEvent(
        observed.event_id,
        opportunity_id="",
        account_id=observed.account_id,
        campaign_id="",
        kind=observed.kind,
        occurred_at=observed.occurred_at,
        cost=observed.cost,
        value=observed.value,
    )
