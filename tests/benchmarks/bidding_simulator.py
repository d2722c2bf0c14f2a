"""Bidding for conversions on the simulator: value for money beside the baselines, also at prices never trained on."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from features.settings import Settings
from features.simulator.campaigns import Shift
from features.simulator.opportunities import Simulator
from models.bidding import market
from models.bidding.auctions import ARRAYS, Episodes, join
from models.bidding.dqn.training import Schedule
from models.bidding.environment import Policy
from models.bidding.evaluation import compare
from models.bidding.fit import FITS, RATIOS, Lesson, best, held_out
from models.bidding.simulation import episodes

#: The campaigns with enough conversions a day to learn their value from a log of `LEARN` days.
CAMPAIGNS = ("2997", "search")
#: Days that are learnt from, days after them that are reported on, and auctions a day: an episode.
LEARN, TEST, AUCTIONS = 100, 100, 1000
SEED = 1
SCHEDULE = Schedule(rounds=4, episodes=20, steps=250)
OTHERS = ("linear", "mcpc", "constant", "pid", "ortb")
#: What the days learnt from had none of: prices a third higher, on mobile and in the evening half as much again.
SHIFTS = (
    Shift(from_day=LEARN, price=4 / 3),
    Shift(from_day=LEARN, price=1.5, channel="mobile"),
    Shift(from_day=LEARN, price=1.5, hours=(18, 23)),
)
KINDS: Mapping[str, tuple[Shift, ...]] = {"": (), "shifted.": SHIFTS}
NAMES = (*(f"value_per_spend_vs_{other}" for other in OTHERS), "value_vs_linear", "budget_use", "overspent")


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Rows of the policy that won most on held-out parts of the days learnt from; budgets are those of `RATIOS`.

    What is learnt from are conversions as they came. What is reported is what winning brings on average by the true
    chances, which the simulator alone knows. Budgets are the same amounts before and after a shift.
    """
    learn = drawn(0, LEARN)
    with tempfile.TemporaryDirectory() as folder:
        lesson = Lesson(learn, SEED, Path(folder), schedule=SCHEDULE)
        released = best(held_out(lesson))
        policies = {name: FITS[name](lesson) for name in {released, *OTHERS}}
    return [row for kind, shifts in KINDS.items() for row in figures(kind, shifts, lesson, policies, released)]


def drawn(first_day: int, days: int, shifts: tuple[Shift, ...] = (), expected: bool = False) -> Episodes:
    """Days of all campaigns."""
    simulators = [Simulator.published(name, SEED, shifts) for name in CAMPAIGNS]
    return join([episodes(one, days, AUCTIONS, first_day, expected) for one in simulators])


def figures(
    kind: str, shifts: tuple[Shift, ...], lesson: Lesson, policies: Mapping[str, Policy], released: str
) -> list[dict[str, Any]]:
    """The rows `NAMES` on days with these shifts."""
    test = drawn(LEARN, TEST, shifts, expected=True)
    compared = compare(policies, test, lesson.markets, RATIOS, SEED)
    found = {f"value_per_spend_vs_{other}": vars(compared.per_spend(released, other)) for other in OTHERS}
    found["value_vs_linear"] = vars(compared.values(released, "linear"))
    budget = market.budgets(lesson.markets, test, RATIOS)
    use = {name: float(compared.outcomes[name].cost.sum() / budget.sum()) for name in (released, "linear")}
    found["budget_use"] = {"value": use[released], "baseline": use["linear"]}
    over = sum(int((outcome.cost > budget).sum()) for outcome in compared.outcomes.values())
    found["overspent"] = {"value": float(over), "goal": "<= 0"}
    units = {"budget_use": f"of the budgets by {released}; baseline linear", "overspent": "episodes, of all policies"}
    return [
        {
            "name": f"bidding.simulator.{kind}{name}",
            "unit": units.get(name, f"of the other's by {released}, expected conversion value"),
            "seed": SEED,
            "data_hash": digest(test),
            **figure,
        }
        for name, figure in found.items()
    ]


def digest(test: Episodes) -> str:
    """Of the episodes that are reported on."""
    arrays = [np.ascontiguousarray(getattr(test, name)) for name in ARRAYS if name != "campaign"]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]
