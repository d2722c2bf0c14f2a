"""Sends simulated auctions to the endpoint, and reports their outcomes."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from heapq import heappop, heappush
from typing import Any

import numpy as np

from features.simulator.market import Floats
from features.simulator.opportunities import START, SimulatedAuctions
from features.simulator.settlement import Settlement, settle
from serving.decisions.params import DecisionParams
from serving.decisions.rebuild import from_plain
from serving.decisions.records import Action, Decision
from serving.decisions.state.store import Store
from serving.experiments.simulation.account import BidderAccount
from serving.experiments.simulation.advertisers import FIRST_DAY, HOURS, Advertiser
from serving.experiments.simulation.client import Client
from serving.experiments.simulation.pace import Pace

#: Minutes of auctions per batch.
TOGETHER_MIN = 15
SLICES = 60 // TOGETHER_MIN
_US = 1_000_000
#: Changes that are executed; the simulator has no budgets by channel, keywords or creatives.
_CARRIED = (Action.RAISE_BID, Action.LOWER_BID)


@dataclass
class SimulatedTraffic:
    """Hours of auctions decided by an endpoint.

    Args:
        began: start of the simulation in Unix seconds by the caller's clock: a past Monday at midnight, as a clock
            ahead of the store's is a fault.
        goal: what the champion buys: predictions are clicks or money.
        counted: returns once the endpoint has counted all feedback; simulated time passes faster than it counts.
    """

    advertisers: Sequence[Advertiser]
    account: BidderAccount
    client: Client
    store: Store
    params: DecisionParams
    began: float
    goal: str
    counted: Callable[[], None]
    guardrails: Counter[str] = field(default_factory=Counter)
    arms: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    carried_out: int = 0
    paces: list[Pace] = field(init=False)
    late: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paces = [Pace(one) for one in self.advertisers]

    def hour(self, number: int) -> None:
        """Simulate one hour since the start: a review of every campaign, then its auctions."""
        for pace in self.paces:
            pace.begin(number)
        self._look(number)
        offered = [one.simulator.hour(FIRST_DAY * HOURS + number) for one in self.advertisers]
        minutes = [_minute(here.occurred_at) for here in offered]
        for part in range(SLICES):
            now = [np.flatnonzero(minute // TOGETHER_MIN == part) for minute in minutes]
            self._bid(number, part, offered, now)
            self._tell_late(self.began + number * 3600 + (part + 1) * TOGETHER_MIN * 60)

    def finish(self) -> None:
        """Report the remaining conversions."""
        self._tell_late(float("inf"))

    def _look(self, number: int) -> None:
        at = self.began + number * 3600
        looks = [
            {**_place(one), "opportunity_id": f"look-{place}-{number}", "occurred_at": at, "asked": "campaign"}
            for place, one in enumerate(self.advertisers)
        ]
        for made in self._decide(looks):
            decision = from_plain(Decision, made)
            if decision.action in _CARRIED and self.store.claim(decision, self.params.changes.cooldown_s):
                self.carried_out += 1

    def _bid(self, number: int, part: int, offered: Sequence[SimulatedAuctions], now: Sequence[Any]) -> None:
        asked, whose = list[dict[str, Any]](), list[tuple[int, int]]()
        for place, rows in enumerate(now):
            for row in rows.tolist():
                asked.append(self._auction(place, number, row, offered[place]))
                whose.append((place, row))
        order = sorted(range(len(asked)), key=lambda one: (asked[one]["occurred_at"], whose[one]))
        made = self._decide([asked[one] for one in order])
        bids = [np.zeros(len(here)) for here in offered]
        events = []
        for one, decision in zip(order, made, strict=True):
            if decision["action"] == Action.BID:
                place, row = whose[one]
                bids[place][row] = decision["amount"]
        came = [settle(here, bid) for here, bid in zip(offered, bids, strict=True)]
        for one, decision in zip(order, made, strict=True):
            if decision["action"] == Action.BID:
                place, row = whose[one]
                events += self._came(decision, asked[one], came[place], row)
        self.client.tell(events)
        self.counted()
        for place, rows in enumerate(now):
            here = took(offered[place], rows)
            came_here = settle(here, bids[place][rows])
            self.account.take(place, number, here, bids[place][rows], came_here)
            self.paces[place].take(came_here.paid)

    def _auction(self, place: int, number: int, row: int, offered: SimulatedAuctions) -> dict[str, Any]:
        one = self.advertisers[place]
        channels = one.simulator.campaign.channels
        predicted = offered.predicted_ctr if self.goal == "clicks" else offered.predicted_value
        features = {
            "predicted_value": float(predicted[row]),
            "predicted_ctr": float(offered.predicted_ctr[row]),
            **self.paces[place].features(number, float(_minute(offered.occurred_at[[row]])[0])),
        }
        return {
            **_place(one),
            "opportunity_id": f"auction-{place}-{number}-{row}",
            "occurred_at": self._at(offered.occurred_at[row]),
            "channel": channels[int(offered.channel[row])].name,
            "hour": int(offered.hour[row]),
            "features": features,
        }

    def _came(self, made: dict[str, Any], asked: dict[str, Any], came: Settlement, row: int) -> list[dict[str, Any]]:
        """Events of one bid. Conversions are reported when they occur."""
        about = {"account_id": made["account_id"], "decision_id": made["decision_id"]}
        name, at = asked["opportunity_id"], asked["occurred_at"]
        if not came.won[row]:
            return [{**about, "event_id": f"loss-{name}", "kind": "loss", "occurred_at": at}]
        paid = float(came.paid[row])
        events = [{**about, "event_id": f"seen-{name}", "kind": "impression", "occurred_at": at, "cost": paid}]
        if came.click[row]:
            events.append({**about, "event_id": f"click-{name}", "kind": "click", "occurred_at": at})
        if came.conversion_value[row] > 0:
            then = self._at(came.converted_at[row])
            sold = {**about, "event_id": f"sold-{name}", "kind": "conversion", "occurred_at": then}
            heappush(self.late, (then, name, {**sold, "value": float(came.conversion_value[row])}))
        return events

    def _tell_late(self, until: float) -> None:
        due = []
        while self.late and self.late[0][0] <= until:
            due.append(heappop(self.late)[2])
        self.client.tell(due)

    def _decide(self, asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        made = self.client.decide(asked)
        for one in made:
            self.guardrails.update(touch["guardrail"] for touch in one["guardrails"])
            self.arms[one["arm"]] += 1
            self.actions[one["action"]] += 1
        return made

    def _at(self, moment: Any) -> float:
        """A simulated moment by the caller's clock."""
        passed = (moment - START) / np.timedelta64(1, "us") / _US
        return float(self.began + passed - FIRST_DAY * HOURS * 3600)


def took(offered: SimulatedAuctions, rows: Any) -> SimulatedAuctions:
    """A part of the auctions."""
    return SimulatedAuctions(**{one.name: getattr(offered, one.name)[rows] for one in fields(SimulatedAuctions)})


def _place(one: Advertiser) -> dict[str, str]:
    return {"account_id": one.account_id, "campaign_id": one.campaign_id}


def _minute(moments: Any) -> Floats:
    """Minutes since the start of their hour."""
    since = moments - moments.astype("datetime64[h]")
    return np.asarray(since / np.timedelta64(1, "m"), dtype=np.float64)
