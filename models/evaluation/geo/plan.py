"""How small an effect a test on regions could show, before money is spent.

The test is run on the past, where nothing happened: at many ends of the panel, with effects added to its last days. The
share of the ends at which an effect is found is its power; without an effect it is the share of false alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.evaluation.geo.analysis import DAYS, Regions, split
from models.evaluation.geo.conformal import p_value
from models.evaluation.geo.synthetic import chosen_penalty, fit

#: Ends of the panel that a test is tried at, and lifts that are tried.
ENDS, LIFTS = 20, (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5)
#: Sets of regions whose power is computed, of all that are considered.
SHOWN, HALVINGS = 5, 5


@dataclass(frozen=True)
class GeoPlan:
    """A test on some regions for some days.

    Attributes:
        share: of all outcomes that are of these regions.
        detectable: the least lift that is found with the wanted power; None where not even the largest tried is.
        incremental: what it comes to, in all regions and days.
        false_alarms: share of the ends at which an effect is found without one.
        power: by lift.
    """

    regions: tuple[str, ...]
    days: int
    share: float
    detectable: float | None
    incremental: float | None
    false_alarms: float
    power: dict[float, float]
    ends: int


def plan(
    panel: pd.DataFrame, sets: Sequence[tuple[str, ...]], days: int, alpha: float = 0.05, power: float = 0.8
) -> list[GeoPlan]:
    """Tests on these sets of regions, the one that shows the least effect first.

    Raises:
        ValueError: a region is not there, or the panel is too short; says how many days are needed.
    """
    ends = _ends(len(panel), days)
    parts = {regions: split(panel, regions) for regions in sets}
    best = sorted(parts, key=lambda regions: _placebo_error(parts[regions], days, ends))[:SHOWN]
    plans = [_plan(panel, parts[regions], regions, days, ends, alpha, power) for regions in best]
    return sorted(plans, key=lambda one: np.inf if one.detectable is None else one.detectable)


def candidates(panel: pd.DataFrame, count: int) -> list[tuple[str, ...]]:
    """Sets of `count` regions: each region with those that went most like it."""
    alike = panel.corr()
    found = {tuple(sorted([str(name), *map(str, alike[name].drop(name).nlargest(count - 1).index)])) for name in panel}
    return sorted(found)


def _ends(length: int, days: int) -> list[int]:
    """Lengths that the panel is cut to: at least `DAYS`, and twice the test, come before the test."""
    least = days + max(DAYS, 2 * days)
    if length < least:
        raise ValueError(f"days: expected at least {least} in the panel for a test of {days}, got {length}")
    return sorted({int(end) for end in np.linspace(least, length, min(ENDS, length - least + 1))})


def _placebo_error(parts: Regions, days: int, ends: Sequence[int]) -> float:
    """How far off the control is over a test where nothing happened, as a share of the level."""
    errors = []
    for end in ends:
        before, after = slice(0, end - days), slice(end - days, end)
        control = fit(parts.treated[before], parts.donors[before], np.inf)
        errors.append((parts.treated[after] - control.predict(parts.donors[after])).mean())
    return float(np.sqrt(np.mean(np.square(errors))) / np.abs(parts.treated.mean()))


def _plan(
    panel: pd.DataFrame,
    parts: Regions,
    regions: tuple[str, ...],
    days: int,
    ends: list[int],
    alpha: float,
    power: float,
) -> GeoPlan:
    penalty = chosen_penalty(parts.treated, parts.donors)

    def found(lift: float) -> float:
        return float(np.mean([_p(parts, end, days, lift, penalty) <= alpha for end in ends]))

    powers = {lift: found(lift) for lift in LIFTS}
    enough = [lift for lift in LIFTS[1:] if powers[lift] >= power]
    detectable = None
    if enough:
        below, detectable = LIFTS[LIFTS.index(enough[0]) - 1], enough[0]
        for _ in range(HALVINGS):
            middle = (below + detectable) / 2
            below, detectable = (below, middle) if found(middle) >= power else (middle, detectable)
    recent = float(panel[list(regions)].iloc[-days:].to_numpy().sum())
    return GeoPlan(
        regions,
        days,
        share=float(panel[list(regions)].to_numpy().sum() / panel.to_numpy().sum()),
        detectable=detectable,
        incremental=None if detectable is None else detectable * recent,
        false_alarms=powers[0.0],
        power=powers,
        ends=len(ends),
    )


def _p(parts: Regions, end: int, days: int, lift: float, penalty: float) -> float:
    treated = parts.treated[:end].copy()
    treated[-days:] *= 1 + lift
    return p_value(treated, parts.donors[:end], days, 0.0, penalty)
