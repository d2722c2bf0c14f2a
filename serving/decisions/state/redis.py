"""State in Redis, shared by workers on many machines. Atomic operations are scripts; a batch is one round trip.

Durability depends on the server: with `appendonly yes` and `appendfsync always`, confirmed reservations survive the
loss of its machine; with `everysec`, a crash may lose the last second. The server must not evict keys.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import orjson
import redis

from features.redis_pipeline import Command
from serving.decisions.params import DecisionParams
from serving.decisions.records import MICRO, Decision, Opportunity, Override, PacedBy, State
from serving.decisions.state import book
from serving.decisions.state.joins import EXPECT, TAKE
from serving.decisions.state.ledger import lasting
from serving.decisions.state.scripts import CLAIM, EXPOSE, LOAD, RECORD, REDATE, RESERVE, UPGRADE
from serving.decisions.state.shards import scripted
from serving.decisions.state.store import (
    UNCHANGED,
    Budget,
    CampaignSettings,
    Exposure,
    FeedbackEvent,
    Flag,
    Grant,
    Limit,
    Receipt,
    Reservation,
    StoreUnavailable,
)
from serving.decisions.state.wire import (
    PREFIX,
    books,
    campaign_key,
    claiming,
    exposing,
    flat,
    owner,
    recording,
    reserving,
    tag,
    taking,
)

log = logging.getLogger("adloop.decisions")

EVERYTHING = "adloop:decisions:killed"
#: Version of the books' format; see `upgrade` for earlier ones.
VERSION_KEY, VERSION = "adloop:decisions:version", 1
#: Items per script call, as other workers wait for it.
CHUNK = 200
#: Seconds without requests after a failure, so that decisions do not wait for an unavailable server.
PAUSE_S = 0.2

#: Status of an event: counted, waiting for its decision, or known.
Taken = Literal["joined", "waits", "again"]

_SCRIPTS = (LOAD, RESERVE, EXPOSE, RECORD, EXPECT, TAKE, CLAIM, REDATE, UPGRADE)
_SHA = {script: hashlib.sha1(script.encode()).hexdigest() for script in _SCRIPTS}  # noqa: S324 - Redis's name for it


class RedisStore:
    """A `Store` in Redis. Threads may share it; each process opens its own.

    Args:
        clock: the store's clock, by which holds are due; None: the server's own. Must be the same for all workers.
    """

    def __init__(self, url: str, params: DecisionParams, clock: Callable[[], float] | None = None) -> None:
        self._trips, self._clock = scripted(url, EVERYTHING), clock
        self._recent_s, self._ahead_s = params.keeping.recent_s, params.clock.ahead_s
        self._rewards_s = params.keeping.rewards_s
        told = {name: getattr(params.keeping, name) for name in ("recent_s", "rewards_s", "remembered_s")}
        self._lasting = lasting(params)
        self._options = {"ahead_s": self._ahead_s, "cap": book.CAP, "lasting": self._lasting, **told}
        self._away_until, self._upgraded = 0.0, False

    def load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        wanted = [books(one, version, self._day(one)) for one in opportunities]
        keys = {key: one.account_id for one, those in zip(opportunities, wanted, strict=True) for key in those if key}
        asked = [(opportunities[0].account_id, ""), *((account, key) for key, account in keys.items())]
        (seconds, micros, killed), *told = self._run(LOAD, asked)
        found = {key: dict(zip(one[::2], one[1::2], strict=True)) for key, one in zip(keys, told, strict=True)}
        found[""] = {}
        now = int(seconds) + int(micros) / MICRO if self._clock is None else self._clock()
        return [
            self._told(one, [found[key] for key in those], killed, now)
            for one, those in zip(opportunities, wanted, strict=True)
        ]

    def _told(self, asked: Opportunity, found: list[dict[str, str]], killed: str, now: float) -> State:
        try:
            return self._state(asked, found, killed, now)
        except (ValueError, KeyError) as broken:  # affects this campaign only
            log.error("the books of %s, %s are unreadable: %s", asked.account_id, asked.campaign_id, broken)
            return State(known=False)

    def _state(self, asked: Opportunity, found: list[dict[str, str]], killed: str, now: float) -> State:
        account, campaign, evidence, segments, customer, arms, shown = found
        if asked.paced_by == "customer_id":
            campaign = {**campaign, "last_at": customer.get("last_at", "")}
        at, looked = (
            book.bounded(asked.occurred_at, now + self._ahead_s),
            segments if asked.counted else None,
        )
        compared = (arms, self._rewards_s, shown) if asked.compares else None
        return book.state(campaign, account, looked, evidence, killed, at, now, self._recent_s, self._ahead_s, compared)

    def _day(self, asked: Opportunity) -> int:
        """The day of what the customer was shown, by this process's clock, as the server's is not known yet."""
        now = time.time() if self._clock is None else self._clock()
        return int(book.bounded(asked.occurred_at, now + self._ahead_s) // book.DAY) if asked.compares else 0

    def reserve(self, asked: Sequence[Reservation]) -> list[Grant]:
        told = self._run(RESERVE, [(one.account_id, reserving(one)) for one in asked])
        return [Grant(status, int(amount) / MICRO, why) for status, amount, why in told]

    def expose(self, asked: Sequence[Exposure]) -> list[Grant]:
        told = self._run(EXPOSE, [(one.account_id, exposing(one)) for one in asked])
        return [Grant(status, int(amount) / MICRO, why) for status, amount, why in told]

    def record(self, events: Sequence[FeedbackEvent]) -> list[Receipt]:
        told = self._run(RECORD, [(one.account_id, recording(one)) for one in events])
        return [Receipt(counted == 1, flag or None) for counted, flag in told]

    def expect(self, decisions: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str, Flag]]:
        """Register decisions (account and `wire.expecting`), and count the events that were waiting for them.

        Returns account, id and flag of each flagged event. Idempotent.
        """
        told = self._run(EXPECT, decisions)
        return [
            (account, event, flag)
            for (account, _), flags in zip(decisions, told, strict=True)
            for event, flag in zip(flags[::2], flags[1::2], strict=True)
        ]

    def take(
        self, events: Sequence[tuple[FeedbackEvent, str]]
    ) -> list[tuple[Literal["joined", "waits", "again"], Flag | None]]:
        """Count events, each with its decision's id, once; those of unknown decisions wait."""
        told = self._run(TAKE, [(event.account_id, taking(event, decision)) for event, decision in events])
        return [(status, flag or None) for status, flag in told]

    def claim(self, decision: Decision, cooldown_s: float, paced_by: PacedBy = "campaign_id") -> bool:
        item = orjson.dumps(claiming(decision, cooldown_s, paced_by))
        call = ("EVALSHA", _SHA[CLAIM], 2, tag(decision.account_id), EVERYTHING, self._told_options(), item)
        return bool(self._ask([call])[0] == 1)

    def configure(self, account_id: str, campaign_id: str, terms: CampaignSettings) -> None:
        said = {
            campaign_key(account_id, campaign_id): book.terms(terms),
            f"{tag(account_id)}:segments:{campaign_id}": book.segments_of(terms),
        }
        self._ask([("HSET", key, *flat(entries)) for key, entries in said.items() if entries])

    def limit(self, account_id: str, daily_limit: Limit = UNCHANGED, limit: Limit = UNCHANGED) -> None:
        said = book.limits(daily_limit=daily_limit, limit=limit)
        self._ask([("HSET", f"{tag(account_id)}:account", *flat(said))] if said else [])

    def override(self, account_id: str, campaign_id: str, said: Override | None) -> None:
        self._ask([("HSET", campaign_key(account_id, campaign_id), *flat(book.overridden(said)))])

    def kill(self, why: str | None, account_id: str | None = None, campaign_id: str | None = None) -> None:
        if account_id is None:
            self._ask([("SET", EVERYTHING, why or "")])
        else:
            account = f"{tag(account_id)}:account"
            key = account if campaign_id is None else campaign_key(account_id, campaign_id)
            self._ask([("HSET", key, "killed", why or "")])

    def reset_clock(self, account_id: str) -> None:
        now, own = time.time() if self._clock is None else self._clock(), tag(account_id)
        kinds = tuple(f"{own}:{kind}" for kind in ("account", "arms:", "campaign:", "segments:", "customer:"))
        for key in (key for key in self._keys() if key.startswith(kinds)):
            (told,) = self._ask([("HGETALL", key)])
            length_s = self._rewards_s if key.startswith(f"{own}:arms:") else self._recent_s
            said = book.redated(dict(zip(told[::2], told[1::2], strict=True)), now, length_s)
            self._ask([("HSET", key, *flat(said))] if said else [])
        (held,) = self._ask([("ZRANGE", f"{own}:holds", 0, -1)])
        self._run(REDATE, [(account_id, name) for name in held])

    def budgets(self, account_id: str | None = None) -> list[Budget]:
        among = [(key, whose) for key in self._keys() if (whose := owner(key)) and account_id in (None, whose[0])]
        among.sort(key=lambda one: (one[1][1] is not None, one[1]))
        told = self._run(LOAD, [(whose[0], key) for key, whose in among])
        now = time.time() if self._clock is None else self._clock()
        return [
            book.budget(dict(zip(one[::2], one[1::2], strict=True)), *whose, now)
            for (_, whose), one in zip(among, told, strict=True)
        ]

    def _keys(self) -> set[str]:
        """All keys of decisions, a thousand at a time, so that other workers are not blocked."""
        found, cursor = set[str](), "0"
        while True:
            cursor, keys = self._ask([("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", 1000)])[0]
            found.update(keys)
            if cursor == "0":
                return found

    def stopped(self) -> str | None:
        return self._ask([("GET", EVERYTHING)])[0] or None

    def _told_options(self) -> bytes:
        return orjson.dumps(self._options if self._clock is None else {**self._options, "now": self._clock()})

    def _run(self, script: str, items: Sequence[tuple[str, Any]]) -> list[Any]:
        """Run a script over items of any accounts; returns its answers in order."""
        places: dict[str, list[int]] = {}
        for place, (account, _) in enumerate(items):
            places.setdefault(account, []).append(place)
        chunks = [
            (account, those[start : start + CHUNK])
            for account, those in places.items()
            for start in range(0, len(those), CHUNK)
        ]
        options = self._told_options()
        calls: list[Command] = [
            (
                "EVALSHA",
                _SHA[script],
                2,
                tag(account),
                EVERYTHING,
                options,
                orjson.dumps([items[i][1] for i in those]),
            )
            for account, those in chunks
        ]
        answers: list[Any] = [None] * len(items)
        for (_, those), told in zip(chunks, self._ask(calls), strict=True):
            for place, answer in zip(those, told, strict=True):
                answers[place] = answer
        return answers

    def _ask(self, calls: Sequence[Command]) -> list[Any]:
        """One round trip; the first one also checks the format of the books."""
        if not calls:
            return []
        if time.monotonic() < self._away_until:
            raise StoreUnavailable("Redis failed a moment ago")
        try:
            if not self._upgraded:
                self._upgrade()
            return self._scripted(calls)
        except (redis.RedisError, OSError) as fault:
            self._away_until = time.monotonic() + PAUSE_S
            raise StoreUnavailable(f"Redis does not answer: {fault}") from fault

    def _scripted(self, calls: Sequence[Command]) -> list[Any]:
        """Runs again where the server has lost the scripts: all of them are idempotent."""
        try:
            return self._trips.ask(calls)
        except redis.exceptions.NoScriptError:
            self._trips.ask([("SCRIPT", "LOAD", script) for script in _SHA])
            return self._trips.ask(calls)

    def _upgrade(self) -> None:
        """Upgrade books of an earlier version, once; refuse those of a later one."""
        (found,) = self._trips.ask([("GET", VERSION_KEY)])
        if int(found or 0) > VERSION:
            raise redis.RedisError(f"its books have version {found} of a later adloop: use that adloop")
        if int(found or 0) < VERSION:
            cursor = "0"
            while True:
                ((cursor, keys),) = self._trips.ask([("SCAN", cursor, "MATCH", f"{tag('*')}:open", "COUNT", 1000)])
                tags, told = [key.removesuffix(":open") for key in keys], self._told_options()
                if tags:
                    self._scripted([("EVALSHA", _SHA[UPGRADE], 2, one, EVERYTHING, told, "[]") for one in tags])
                if cursor == "0":
                    break
            self._trips.ask([("SET", VERSION_KEY, VERSION)])
        self._upgraded = True
