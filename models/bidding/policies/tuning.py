"""Tunes one setting of a policy by replaying logged episodes, separately for each campaign and budget."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.bidding import market
from models.bidding.auctions import Episodes, Floats
from models.bidding.environment import Policy
from models.bidding.market import Markets
from models.bidding.observation import Observation
from models.bidding.policies.budget_curve import BudgetCurve
from models.bidding.shading import play

#: Candidate settings, as multiples of a campaign's unit, and of its earlier setting.
SETTINGS, NEAR = tuple(np.geomspace(0.1, 8, 36).tolist()), tuple(np.geomspace(0.5, 2, 21).tolist())
#: Lines of a replay, each an episode with a budget and a multiple: enough that an auction's cost is that of its arrays.
LINES = 20_000


class Multiples(BudgetCurve):
    """A budget curve times each of `factors`: a replay's lines are blocks of equal size, one for each factor."""

    factors: tuple[float, ...]

    def at(self, seen: Observation) -> Floats:
        """See `BudgetCurve`."""
        once = super().at(seen.first(len(seen) // len(self.factors)))
        return np.multiply.outer(self.factors, once).ravel()


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
    at_once = max(LINES // max(budget.size, 1), 1)
    won = []
    for first in range(0, len(factors), at_once):
        some = tuple(factors[first : first + at_once])
        policy = make(Multiples(ratios=ratios, prices=prices, settings=around, factors=some))
        value = play(episodes, np.tile(budget, (len(some), 1)), policy, markets).value
        won.append(value.reshape(len(some), *budget.shape))
    value = np.concatenate(won)
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
