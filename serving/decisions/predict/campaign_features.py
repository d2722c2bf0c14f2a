"""Model inputs that describe a campaign's pacing.

Money known from the state overrides the caller's values. Held money counts at the expected cost of the bids, as most of
them are lost. Other inputs come from the caller, or are estimated from the clock, the spend, and recent auction counts.
"""

from collections.abc import Sequence

import numpy as np

from features import clock
from models.vectors import Floats
from serving.decisions.case import number
from serving.decisions.predict.feature_matrix import FeatureMatrix
from serving.decisions.records import Opportunity, State
from serving.decisions.rules.triggers import DAY_S


def estimate(matrix: FeatureMatrix, opportunities: Sequence[Opportunity], states: Sequence[State]) -> None:
    """Estimate missing inputs: hour and weekday in the campaign's time zone, auctions of the day and those left, cost
    per auction, and the lag behind even pacing. Inputs that cannot be estimated stay missing.

    Budgets are per day in UTC, whatever the campaign's time zone.
    """
    if not {"hour", "weekday", "remaining"} & matrix.columns.floats.keys():
        return
    at = np.array([number(one.occurred_at) or 0.0 for one in opportunities])
    gone = at % DAY_S / DAY_S
    hour, weekday = clock.hour_and_weekday(at, zones(matrix))
    matrix.guess("hour", hour)
    matrix.guess("weekday", weekday)
    if "remaining" not in matrix.columns.floats:
        return
    of_late = matrix.column("auctions_7d") / 7
    matrix.guess("auctions", np.where(of_late > 0, of_late, np.nan))
    auctions = matrix.column("auctions")
    matrix.guess("remaining", auctions * (1 - gone))
    passed = np.maximum(auctions - matrix.column("remaining"), 1.0)
    spent, limit = _of(states, "expected_today"), _of(states, "daily_limit")
    with np.errstate(invalid="ignore", divide="ignore"):
        behind = np.where(limit > 0, passed / auctions - spent / limit, np.nan)
    matrix.guess("recent_cost", spent / passed)
    matrix.guess("pacing_debt", behind * passed / 2)  # as if the lag had grown evenly


def zones(matrix: FeatureMatrix) -> list[str | None]:
    """Time zone of each campaign; None means UTC. An unknown zone is a fault."""
    told = matrix.texts.get("zone") or [None] * len(matrix.numbers)
    for row, zone in enumerate(told):
        if not clock.known(zone):
            matrix.faults[row].append(f"feature 'zone': expected an IANA time zone, got {str(zone)[:80]!r}")
            told[row] = None
    return told


def insist(matrix: FeatureMatrix, states: Sequence[State]) -> None:
    """Set the campaign's daily budget, expected remaining money and target, overriding the caller's values."""
    asked = matrix.columns.floats
    for name, known in (("budget", "daily_limit"), ("left", "remaining")):
        if name in asked:
            matrix.know(name, _of(states, known))
    if "target_cpc" in asked:
        matrix.know("target_cpc", _numbers([state.target_cpc for state in states]))


def _of(states: Sequence[State], name: str) -> Floats:
    return _numbers([getattr(state.campaign, name) for state in states])


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
