"""Histories of money, beside plain sums: what a store says of campaigns and accounts is what was promised and told.

`World` does each step to a real store, to the sums, and compares. Of a decision the sums know what the ledger's rules
say of it; what a campaign or an account holds and was billed is added up anew from all decisions every time.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import pytest

from serving.decisions.feedback import Kind
from serving.decisions.kinds.campaign import Review
from serving.decisions.params import DecisionParams
from serving.decisions.records import MICRO, Spend
from serving.decisions.state.ledger import lasting
from serving.decisions.state.store import CampaignSettings, FeedbackEvent, Flag, Purpose, Receipt, Reservation, Store

DAY = 86_400
START = 20_000.0 * DAY + 3_600
#: By account and campaign: the daily budget and the limit in all; then by account.
CAMPAIGNS = {("a", "c"): (5.0, 12.0), ("a", "d"): (4.0, None), ("b", "c"): (6.0, 9.0)}
ACCOUNTS = {"a": (7.0, 20.0), "b": (None, None)}
KINDS: tuple[Kind, ...] = get_args(Kind)


class Clock:
    """The store's clock, which everybody may set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Made:
    """A decision, as the sums know it; amounts in millionths."""

    account: str
    campaign: str
    purpose: Purpose
    opportunity: str
    target: str
    at: float
    promised: int
    day: int = -1  # on which its money is counted
    open: bool = False
    until: float = 0.0
    won: bool = False
    billed: int | None = None
    assumed: bool = False
    corrected_at: float | None = None
    told_cost: int = 0
    impressions: int = 0
    clicks: int = 0
    sold: list[float] = field(default_factory=list)
    refunded: float = 0.0

    @property
    def held(self) -> int:
        return self.promised if self.open else 0

    @property
    def forgotten(self) -> bool:
        """Nothing is held of it, and nothing that counts came of it: the store does not know it any more."""
        return not (self.open or self.billed is not None or self.impressions or self.sold or self.refunded)

    @property
    def net(self) -> float:
        return max(0.0, sum(self.sold) - self.refunded)

    @property
    def squares(self) -> float:
        return sum(one**2 for one in self.sold) * (self.net / sum(self.sold)) ** 2 if sum(self.sold) else 0.0


class World:
    """One store with its workers, all its campaigns and accounts, and the sums.

    Args:
        connect: opens the store once more, as another worker would.
        prefix: of all accounts, for a store that others' histories are in too.
    """

    def __init__(self, connect: Callable[[], Store], clock: Clock, params: DecisionParams, prefix: str = "") -> None:
        self._connect, self.clock, self.params, self._prefix = connect, clock, params, prefix
        self.workers = [connect(), connect()]
        self.made: dict[tuple[str, str, Purpose, str], Made] = {}
        self.told: dict[str, tuple[str, str, Purpose, str]] = {}  # events by their account and id
        self.days: dict[tuple[str, ...], int] = {}
        self.excess: dict[tuple[str, ...], int] = {}
        self.overspent = 0.0
        for (account, campaign), (daily, limit) in CAMPAIGNS.items():
            self.workers[0].configure(prefix + account, campaign, CampaignSettings(daily, limit))
        for account, (daily, limit) in ACCOUNTS.items():
            self.workers[0].limit(prefix + account, daily, limit)

    def restart(self, worker: int) -> None:
        self.workers[worker] = self._connect()

    def wait(self, seconds: float) -> None:
        """Back or ahead, within the time that decisions are remembered."""
        self.clock.now = min(max(START, self.clock.now + seconds), START + self.params.keeping.remembered_s - DAY)
        self.check(0)  # every account is looked at by this clock, before it may go back

    def ask(self, worker: int, where: tuple[str, str], purpose: Purpose, number: int, cents: int, back: float) -> str:
        """A bid or an offer, by a clock that is so much behind the store's, or ahead of it. What became of it."""
        target, name = ("u" if purpose == "offer" else ""), f"{number}"
        key = (*where, purpose, name)
        at, amount = max(0.0, self.clock.now - back), cents * 10_000
        asked = Reservation(name, self._prefix + where[0], where[1], amount / MICRO, at, purpose, target)
        (grant,) = self.workers[worker].reserve([asked])
        self._settle()
        before = self.made.get(key)
        if before is not None and (before.open or before.billed is not None):
            assert (grant.status, grant.amount) == ("again", before.promised / MICRO), (grant, before)
            return grant.status
        day = self._roll(where, min(at, self._latest()))
        rooms = [self._room(one, day) for one in (where, where[:1])]
        assert (grant.status == "reserved") == (amount <= min(rooms)), (grant, rooms)
        if grant.status == "reserved":
            kept = before or Made(*key, target, at, amount)
            kept.promised, kept.at, kept.day, kept.open = amount, at, day, True
            kept.until, kept.won = self.clock.now + lasting(self.params)[purpose], False
            self.made[key] = kept
        return grant.status

    def tell(self, worker: int, which: int, kind: Kind, cost: int | None, value: float, late: float, name: str) -> None:
        """An event of one of the decisions there are, told with an id that may have been told before."""
        if not self.made:
            return
        key = sorted(self.made)[which % len(self.made)]
        one = self.made[key]
        cost = None if kind == "loss" else (cost or 0) if kind == "correction" else cost
        event = FeedbackEvent(
            event_id=name,
            opportunity_id=key[3],
            account_id=self._prefix + key[0],
            campaign_id=key[1],
            kind=kind,
            occurred_at=max(0.0, one.at + late),
            cost=None if cost is None else cost / 100,
            value=value if kind == "conversion" else 0.0,
            arm="policy",
            version="1",
            segments={"channel": "x"},
            purpose=key[2],
            decided_at=one.at,
            promised=one.promised / MICRO,
        )
        (receipt,) = self.workers[worker].record([event])
        self._settle()
        again = f"{key[0]} {name}" in self.told
        self.told.setdefault(f"{key[0]} {name}", key)
        assert receipt == (Receipt(False) if again else Receipt(True, self._came(one, event))), (one, event)

    def _came(self, one: Made, event: FeedbackEvent) -> Flag | None:
        """What an event makes of its decision, by the ledger's rules."""
        if event.kind == "loss":
            one.open = one.open and one.won
            return "conflict" if one.won or one.billed else None
        if one.forgotten:
            one.day = int(min(one.at, self._latest()) // DAY)
            self._roll((one.account, one.campaign), one.day * DAY)
        flag: Flag | None = None
        if event.cost is not None:
            flag = self._charge(one, event, round(event.cost * MICRO))
        elif one.purpose == "bid" and not one.won and one.billed is None:
            one.won = True
            if not one.open:
                self._bill(one, one.promised, covered=0)
                one.assumed, flag = True, "late"
        one.impressions |= event.kind == "impression"
        one.clicks += event.kind == "click"
        if event.kind == "conversion" and event.value >= 0:
            one.sold.append(event.value)
        elif event.kind == "conversion":
            one.refunded -= event.value
        return flag

    def _charge(self, one: Made, event: FeedbackEvent, cost: int) -> Flag | None:
        at = event.occurred_at
        if event.kind == "correction" and at < (one.corrected_at or 0):
            return None
        if event.kind == "correction":
            one.corrected_at = at
        elif one.billed is not None and not one.assumed:
            return "conflict" if cost != one.billed and one.corrected_at is None else None
        first, covered = one.billed is None, one.held
        late = first and not one.open
        self._bill(one, cost, covered)
        one.open, one.assumed, one.told_cost = False, False, cost
        return "above" if cost > one.promised else "late" if late else None

    def _bill(self, one: Made, cost: int, covered: int) -> None:
        more = max(0, cost - (one.billed or 0) - covered)
        for whose in ((one.account, one.campaign), (one.account,)):
            self.excess[whose] = self.excess.get(whose, 0) + more
        one.billed = cost

    def _settle(self) -> None:
        """What is due by the store's clock."""
        for one in self.made.values():
            if one.open and one.until <= self.clock.now:
                if one.won:
                    one.billed, one.assumed = one.promised, True
                one.open = False

    def _latest(self) -> float:
        return self.clock.now + self.params.clock.ahead_s

    def _roll(self, where: tuple[str, str], at: float) -> int:
        day = max(int(at // DAY), self.days.get(where, -1), self.days.get(where[:1], -1))
        self.days[where] = self.days[where[:1]] = day
        return day

    def _of(self, whose: tuple[str, ...]) -> list[Made]:
        return [one for one in self.made.values() if (one.account, one.campaign)[: len(whose)] == whose]

    def _limits(self, whose: tuple[str, ...]) -> tuple[float, float]:
        daily, limit = CAMPAIGNS[whose] if len(whose) == 2 else ACCOUNTS[whose[0]]  # type: ignore[index]
        return tuple(float("inf") if one is None else round(one * MICRO) for one in (daily, limit))  # type: ignore[return-value]

    def _room(self, whose: tuple[str, ...], day: int) -> float:
        daily, limit = self._limits(whose)
        today = sum((one.billed or 0) + one.held for one in self._of(whose) if one.day == day)
        return min(daily - today, limit - sum((one.billed or 0) + one.held for one in self._of(whose)))

    def check(self, worker: int) -> None:
        """The store and the sums agree, and no limit is exceeded but by what is flagged as excess."""
        now = self.clock.now
        asked = [Review("look", now, self._prefix + account, campaign) for account, campaign in CAMPAIGNS]
        states = self.workers[worker].load(asked, "1")
        self._settle()
        for where, state in zip(CAMPAIGNS, states, strict=True):
            assert state.known
            self._compare(where, state.campaign)
            self._compare(where[:1], state.account)
            mine = self._of(where)
            auctions = [one for one in mine if one.purpose == "bid"]  # what comes of an offer was won in none
            counted = [state.window.recent, state.window.past]
            assert sum(one.impressions for one in counted) == sum(one.impressions for one in auctions)
            assert sum(one.clicks for one in counted) == sum(one.clicks for one in auctions)
            assert sum(one.conversions for one in counted) == sum(len(one.sold) for one in auctions)
            value, cost = (sum(getattr(one, name) for one in counted) for name in ("conversion_value", "cost"))
            assert value == pytest.approx(sum(one.net for one in auctions), abs=1e-5)
            assert cost == pytest.approx(sum(one.told_cost for one in auctions) / MICRO, abs=1e-6)
            proof = state.outcome("policy")
            assert proof.conversions == sum(len(one.sold) for one in mine)
            assert (proof.impressions, proof.clicks) == (
                sum(one.impressions for one in mine),
                sum(one.clicks for one in mine),
            )
            assert proof.value == pytest.approx(sum(one.net for one in mine), abs=1e-5)
            assert proof.cost == pytest.approx(sum(one.told_cost for one in mine) / MICRO, abs=1e-6)
            assert proof.value_squared == pytest.approx(sum(one.squares for one in mine), abs=1e-4)

    def _compare(self, whose: tuple[str, ...], said: Spend) -> None:
        mine, today = self._of(whose), int(self.clock.now // DAY)
        day = max(self.days.get(whose, -1), today)
        told = {
            "today": sum(one.billed or 0 for one in mine if one.day == day),
            "reserved": sum(one.held for one in mine if one.day == day),
            "total": sum(one.billed or 0 for one in mine),
            "reserved_before": sum(one.held for one in mine if one.day != day),
            "excess": self.excess.get(whose, 0),
        }
        found = {name: round(getattr(said, name) * MICRO) for name in told}
        assert found == told, (whose, day, found, told, mine)
        assert -1e-9 <= said.returning <= said.reserved + 1e-9
        daily, limit = self._limits(whose)
        over = max(
            told["today"] + told["reserved"] - daily, told["total"] + told["reserved"] + told["reserved_before"] - limit
        )
        self.overspent = max(self.overspent, (over - told["excess"]) / MICRO)
        assert over <= told["excess"]


def play(world: World, rng: random.Random, steps: int) -> None:
    """A history of so many steps: bids and offers, what is told of them, pauses of minutes to days, restarts."""
    for step in range(steps):
        worker, drawn = rng.randrange(2), rng.random()
        if drawn < 0.45:
            where, back = rng.choice(list(CAMPAIGNS)), rng.choice((0.0, 0.0, 0.0, 60.0, -200.0, -2.0 * DAY, 1.5 * DAY))
            world.ask(
                worker, where, rng.choice(("bid", "bid", "bid", "offer")), rng.randrange(12), rng.randint(1, 200), back
            )
        elif drawn < 0.9:
            cost, value = (
                rng.choice((None, None, rng.randint(0, 250), 10_000)),
                rng.choice((0.0, 20.0, 8.5, -8.5, -50.0)),
            )
            late, name = rng.choice((1.0, 600.0, 7_200.0, 2.0 * DAY, -60.0)), f"e{rng.randrange(3 * steps)}"
            world.tell(worker, rng.randrange(1_000), rng.choice(KINDS), cost, value, late, name)
        elif drawn < 0.98:
            world.wait(rng.choice((30.0, 900.0, 7_200.0, 22_000.0, 1.0 * DAY, 15.0 * DAY, -3_600.0, -3.0 * DAY)))
        else:
            world.restart(worker)
        if step % 5 == 0 or step == steps - 1:
            world.check(worker)
