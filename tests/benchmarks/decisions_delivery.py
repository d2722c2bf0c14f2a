"""How much of their budgets campaigns spend when wins and losses are told up to an hour late.

Simulated auctions through a real endpoint with a champion that paces, on budgets of a quarter to a sixteenth of what
winning everything would cost: demand suffices. Callers say nothing of how spending went; the endpoint paces by what it
was told, and by what it expects of the rest.
"""

import random
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from features.settings import Settings
from serving.experiments.simulation import advertisers, run
from serving.experiments.simulation.records import ENGINE
from serving.experiments.simulation.traffic import SimulatedTraffic
from tests.integration import small_market

DAILY, CAMPAIGNS, DAYS, SEED = 2_000, 3, 2, 5
LATE_S = 3600.0
#: What only a caller knows that is told at once of what came of its bids.
_TOLD_AT_ONCE = ("recent_cost", "pacing_debt")


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The share that is spent, beside that of the same auctions told at once; and what was spent above any limit."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        home = Settings(home=Path(folder) / "home")
        small_market.shrink(patch)
        patch.setattr(small_market, "DAILY", DAILY)
        small_market.shrink(patch)
        small_market.champion(Path(folder), home, "pacing")
        patch.setattr(advertisers, "ACCOUNT", 2.0)  # only budgets of campaigns bind
        done = {}
        for late_s in (0.0, LATE_S):
            patch.setattr(run, "SimulatedTraffic", _late(late_s))
            done[late_s] = run.simulate(CAMPAIGNS, DAYS, SEED, small_market.PARAMS, home)
    late, above = done[LATE_S], len(done[LATE_S].overspent)
    unit = f"spend over budget, wins and losses told up to an hour late, {CAMPAIGNS} campaigns, {DAYS} days"
    share, at_once = late.spend_of_budget[ENGINE], done[0.0].spend_of_budget[ENGINE]
    yield {"name": "decisions.delivery_share", "value": share, "baseline": at_once, "goal": ">= .95", "unit": unit}
    unit = "limits of a day that were spent above, as the simulator counts"
    yield {"name": "decisions.delivery_overspent", "value": float(above), "goal": "<= 0", "unit": unit}


def _late(most_s: float) -> type[SimulatedTraffic]:
    """Traffic whose events are told so much later than they occur, at most."""

    class Late(SimulatedTraffic):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.rng, self.told_later = random.Random(SEED), list[tuple[float, str, dict[str, Any]]]()
            self.tell, self.client.tell = self.client.tell, self._keep  # type: ignore[method-assign]

        def _keep(self, events: Any) -> None:
            for event in events:
                due = event["occurred_at"] + self.rng.uniform(0.0, most_s)
                heappush(self.told_later, (due, event["event_id"], event))

        def _tell_late(self, until: float) -> None:
            super()._tell_late(until)
            due = []
            while self.told_later and self.told_later[0][0] <= until:
                due.append(heappop(self.told_later)[2])
            self.tell(due)
            self.counted()

        def _auction(self, *where: Any) -> dict[str, Any]:
            asked = super()._auction(*where)
            for name in _TOLD_AT_ONCE:
                asked["features"].pop(name)
            return asked

    return Late
