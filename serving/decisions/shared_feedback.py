"""Feedback of several replicas, on any machines: joined in Redis, recorded by the one that was told.

An event is recorded on this replica's disk before it is counted, by an id that counts once: whoever is not answered
tells it again, to any replica. What is recorded twice is one event to all who read the record.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import orjson

from serving.decisions.attribution import facts, followed
from serving.decisions.feedback import BATCH, FLAGGED, Observed, Status
from serving.decisions.params import DecisionParams
from serving.decisions.state.redis import RedisStore
from serving.decisions.state.store import FeedbackEvent, Flag, StoreUnavailable
from serving.decisions.state.wire import expecting
from serving.records.writer import LogUnavailable, RecordLog

log = logging.getLogger("adloop.decisions")

Answer = TypeVar("Answer")

#: Decisions that are kept for a store that is away, at most; what comes then waits in the log.
LIMIT = 100_000


class SharedFeedback:
    """Takes feedback and expects decisions as `feedback.Feedback` does.

    Args:
        place: where accepted events are recorded.
        flagged: is told of each cost that a person should look at.
        keep_days: days after which recorded events are removed, if decisions are not remembered longer; None: never.
    """

    def __init__(
        self,
        place: Path,
        store: RedisStore,
        params: DecisionParams,
        flagged: Callable[[Flag], None] = lambda flag: None,
        keep_days: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._flagged, self._clock = store, flagged, clock
        self._ahead_s = params.clock.ahead_s
        keep_s = None if keep_days is None else max(keep_days * 86_400, params.keeping.remembered_s)
        self._events = RecordLog(place, keep_s=keep_s)
        self._owed: deque[tuple[str, str, dict[str, Any]]] = deque()
        self._turn, self._away, self._aside = Lock(), "", 0

    def fault(self) -> str | None:
        """Why feedback is not taken; None while it is."""
        return self._events.fault() or self._away or None

    @property
    def standing(self) -> dict[str, object]:
        """How it goes: `counting`, or why not; and how many events were set aside that the state could not take."""
        return {"state": self.fault() or "counting", "set_aside": self._aside}

    def expect(self, written: Sequence[bytes]) -> None:
        """Have events joined to these decisions, by their records. While the store is away they are kept for it.

        Raises `StoreUnavailable` where no more can be kept.
        """
        for record in map(orjson.loads, written):
            made = record["decision"]
            if not followed(record):
                continue
            found = made["account_id"], made["decision_id"], facts(record)
            try:
                expecting(*found)
            except (ValueError, TypeError):
                log.exception("nothing can be joined to decision %s", found[1])
            else:
                self._owed.append(found)
        try:
            self._settle()
        except StoreUnavailable:
            if len(self._owed) > LIMIT:
                raise

    def take(self, observed: Sequence[Observed]) -> list[Status]:
        """Accept events: they are recorded and counted when this returns. `again` for an id that was accepted before.

        Raises `StoreUnavailable` where the store or the disk is away: all may be told again, here or elsewhere.
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
        """Tell the store the decisions that it does not know yet."""
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


def _event(told: Observed) -> FeedbackEvent:
    """As the store counts it once it knows the decision."""
    about = {"account_id": told.account_id, "kind": told.kind, "occurred_at": told.occurred_at}
    return FeedbackEvent(told.event_id, opportunity_id="", campaign_id="", cost=told.cost, value=told.value, **about)  # type: ignore[arg-type]
