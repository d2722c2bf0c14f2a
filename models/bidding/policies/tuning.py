"""Tunes one setting of a policy by replaying logged episodes, separately for each campaign and budget."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy
from models.bidding.market import Markets
from models.bidding.policies.budget_curve import BudgetCurve
from models.bidding.shading import play

#: Candidate settings, as multiples of a campaign's unit, and of its earlier setting.
SETTINGS, NEAR = tuple(np.geomspace(0.1, 8, 36).tolist()), tuple(np.geomspace(0.5, 2, 21).tolist())


def tuned(
    make: Callable[[BudgetCurve], Policy],
    units: Mapping[str, float],
    episodes: Episodes,
    markets: Markets,
    ratios: Sequence[float],
    before: BudgetCurve | None = None,
) -> BudgetCurve:
    """The budget curve with which `make` wins the most realized value; the middle one of equally good settings.

    Campaigns in `before` are tuned around their earlier setting, which is kept without new auctions.
    """
    had = {} if before is None else dict(before.settings)
    prices, settings = ({}, {}) if before is None else (dict(before.prices), dict(had))
    for known, factors in ((False, SETTINGS), (True, NEAR)):
        part = episodes.select(np.array([(name in had) == known for name in episodes.campaign.tolist()], dtype=bool))
        if len(part):
            around = {name: had[name] if known else (units[name],) * len(ratios) for name in part.campaigns}
            settings |= _tried(make, around, factors, part, markets, ratios)
            prices |= {name: markets[name].price for name in part.campaigns}
    return BudgetCurve(ratios=ratios, prices=prices, settings=settings)


def _tried(
    make: Callable[[BudgetCurve], Policy],
    around: Mapping[str, tuple[float, ...]],
    factors: Sequence[float],
    episodes: Episodes,
    markets: Markets,
    ratios: Sequence[float],
) -> dict[str, tuple[float, ...]]:
    """For each campaign and ratio, the best of these multiples of the start value."""
    prices = {name: markets[name].price for name in around}
    budget = market.budgets(markets, episodes, ratios)
    won = []
    for factor in factors:
        settings = {name: tuple(factor * one for one in base) for name, base in around.items()}
        policy = make(BudgetCurve(ratios=ratios, prices=prices, settings=settings))
        won.append(play(episodes, budget, policy, markets).value)
    value = np.array(won)
    return {
        name: tuple(
            factors[place] * one
            for place, one in zip(_best(value[:, :, episodes.campaign == name].sum(axis=2)), base, strict=True)
        )
        for name, base in around.items()
    }


def _best(value: Floats) -> list[int]:
    """Index of the best setting by ratio, from values of (settings, ratios)."""
    places = [np.flatnonzero(line == line.max()) for line in value.T]
    return [int(best[len(best) // 2]) for best in places]
