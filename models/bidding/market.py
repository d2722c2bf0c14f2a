"""Market model of a campaign: prices, calibrated values, and what a budget can buy."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from models.bidding.auctions import Episodes, Floats, Integers
from models.bidding.environment import Pricing
from models.bidding.observation import Observation

#: Values rise as a power of their prediction; how far from 1 the power may be before it is seen (a standard deviation).
SLOPE_SD = 0.3
#: Predictions beyond these quantiles say no more than the quantile.
EDGES = (0.0005, 0.9995)
#: Pairs of value and price kept of a campaign, and points of its curves.
PAIRS, POINTS = 256, 96
#: Spend an auction, as a share of the mean price, between which the curves are told.
PACES = LOWEST, HIGHEST = 1e-3, 1.0
#: Worths in units of the mean price for which shaded bids are told, and prices that the chance to win is told by.
WORTHS, PRICES = np.geomspace(1e-2, 1e3, 240), 1000


class Market(BaseModel):
    """One campaign's market. Curves and pairs are in units of `price` and `value`.

    In a first-price market bids are shaded, and its curves are those of shaded bids.

    Attributes:
        price: mean market price.
        value: mean value of an impression.
        level, slope, low, high: calibration: value = exp(level) x (prediction, clipped to low and high) ^ slope.
        pair_values, pair_prices: sample of auctions evenly over the values, sorted by value, with their prices.
        multipliers: for each pace, the multiplier of values with which bids spend that much per auction.
        gains: the value won per auction with these multipliers.
        pricing: first or second price.
        shades: the optimal first-price bid for each of `WORTHS`; empty in a second-price market.
    """

    model_config = ConfigDict(frozen=True)

    price: float
    value: float
    level: float
    slope: float
    low: float
    high: float
    pair_values: tuple[float, ...]
    pair_prices: tuple[float, ...]
    multipliers: tuple[float, ...]
    gains: tuple[float, ...]
    pricing: Pricing = "second"
    shades: tuple[float, ...] = ()

    @classmethod
    def fit(cls, episodes: Episodes, seed: int = 0, pricing: Pricing = "second", slope: float = 1.0) -> Self:
        """Fit one campaign's market to its logged auctions; `slope` is the prior mean of the slope.

        Raises ValueError without auctions or where all prices are 0.
        """
        expected, price = episodes.expected_value.ravel(), episodes.market_price.ravel()
        if not price.sum() > 0:
            raise ValueError("market: expected auctions, some of them at a price")
        low, high = (max(float(edge), 1e-12) for edge in np.quantile(expected, EDGES))
        score = np.log(np.clip(expected, low, high))
        level, slope = _power(score, episodes.value.ravel(), slope)
        worth = np.exp(level + slope * score)
        values, prices = worth / worth.mean(), price / price.mean()
        shades = _shades(prices) if pricing == "first" else ()
        multipliers, gains = _shaded_curves(values, prices, shades) if shades else _curves(values, prices)
        pair_values, pair_prices = _pairs(values, prices, np.random.default_rng(seed))
        return cls(
            price=float(price.mean()),
            value=float(worth.mean()),
            level=level,
            slope=slope,
            low=low,
            high=high,
            pair_values=pair_values,
            pair_prices=pair_prices,
            multipliers=multipliers,
            gains=gains,
            pricing=pricing,
            shades=shades,
        )


Markets = Mapping[str, Market]


def fit(
    episodes: Episodes, seed: int = 0, pricing: Pricing = "second", before: Markets | None = None
) -> dict[str, Market]:
    """Fit the market of every campaign, starting from `before`; campaigns without new auctions keep theirs."""
    known = dict(before or {})
    slopes = {name: known[name].slope if name in known else 1.0 for name in episodes.campaigns}
    return known | {name: Market.fit(episodes.of(name), seed, pricing, slope) for name, slope in slopes.items()}


def pricing(markets: Markets) -> Pricing:
    """The auction type, which is the same for all markets of a fit."""
    return next(iter(markets.values())).pricing


def budgets(markets: Markets, episodes: Episodes, ratios: Sequence[float]) -> Floats:
    """Budgets of episodes, of (ratios, episodes): shares of the cost of all auctions at the campaign's mean price."""
    everything = np.array([markets[str(name)].price for name in episodes.campaign]) * episodes.auctions
    return np.asarray(np.multiply.outer(np.array(ratios), everything))


def worth(markets: Markets, seen: Observation) -> Floats:
    """Calibrated value of winning each current auction, in units of its campaign's mean."""
    known = {name: (m.level - np.log(m.value), m.slope, m.low, m.high) for name, m in markets.items()}
    level, slope, low, high = seen.look_up(known).T
    return np.asarray(np.exp(level + slope * np.log(np.clip(seen.expected_value, low, high))))


def prices(markets: Markets, seen: Observation) -> Floats:
    """The mean market price of each episode's campaign."""
    return np.asarray(seen.look_up({name: m.price for name, m in markets.items()}))


def shaded(markets: Markets, seen: Observation, worth: Floats) -> Floats:
    """The optimal bids for winning `worth` in money, of (episodes,); in a second-price market `worth` itself."""
    lines = seen.by_campaign({name: m.shades for name, m in markets.items()})
    if not lines.size:
        return worth
    price, rows = prices(markets, seen), seen.campaign
    left, part = _among_worths(worth / price)
    bid = lines[rows, left] + part * (lines[rows, left + 1] - lines[rows, left])
    return np.asarray(np.minimum(bid * price, worth))


def shade(worth: Floats, shades: Sequence[float]) -> Floats:
    """As `shaded`, for one market in units of its mean price; any shape."""
    left, part = _among_worths(worth)
    return np.asarray(np.minimum(np.take(shades, left) + part * np.diff(shades)[left], worth))


def _among_worths(worth: Floats) -> tuple[Integers, Floats]:
    """The last of `WORTHS` that is not above each amount, as an index, and the part of the way to the next."""
    lowest, highest = WORTHS[0], WORTHS[-1]
    step = np.log(np.clip(worth, lowest, highest) / lowest) / np.log(highest / lowest) * (len(WORTHS) - 1)
    left = np.minimum(step.astype(np.int64), len(WORTHS) - 2)
    return left, step - left


def at_pace(curves: Mapping[str, tuple[float, ...]], seen: Observation, pace: Floats) -> Floats:
    """Evaluate the curve of each episode's campaign at a pace in units of its mean price."""
    return on_line(seen.by_campaign(curves), seen.campaign, pace)


def reference(markets: Markets, seen: Observation) -> Floats:
    """The multiplier of values that spends the pace, in units of mean price over mean value."""
    curves = {name: known.multipliers for name, known in markets.items()}
    return np.asarray(at_pace(curves, seen, seen.pace / prices(markets, seen)))


def paced(markets: Markets, seen: Observation) -> Floats:
    """The bid that spends the pace."""
    return reference(markets, seen) * worth(markets, seen) * prices(markets, seen)


def on_line(lines: Floats, rows: Integers, pace: Floats) -> Floats:
    """Evaluate the curves in `rows` of `lines`, of (curves, POINTS), each at its pace."""
    step = np.log(np.clip(pace, *PACES) / LOWEST) / np.log(HIGHEST / LOWEST) * (POINTS - 1)
    left = np.minimum(step.astype(np.int64), POINTS - 2)
    return np.asarray(lines[rows, left] + (step - left) * (lines[rows, left + 1] - lines[rows, left]))


def pace_at(lines: Floats, value: Floats) -> Floats:
    """Invert each increasing curve of `lines`, of (episodes, POINTS): the pace at its value."""
    rows = np.arange(len(lines))
    left = np.clip((lines <= value[:, None]).sum(axis=1) - 1, 0, POINTS - 2)
    low, high = lines[rows, left], lines[rows, left + 1]
    part = np.clip((value - low) / np.where(high > low, high - low, 1.0), 0, 1)
    return np.asarray(LOWEST * (HIGHEST / LOWEST) ** ((left + part) / (POINTS - 1)))


def _power(score: Floats, value: Floats, prior: float) -> tuple[float, float]:
    """Level and slope of log value over log prediction: Poisson regression with a prior on the slope (MAP, Newton).

    Half a win is added, so that campaigns without wins have a level. Values are scaled to their effective number of
    equal wins (Kish, 1965), as a few expensive conversions are less informative than the same number of equal ones.
    """
    unit = float((value**2).sum() / value.sum()) if (value > 0).any() else 1.0
    count, centre = value / unit, float(score.mean())
    x = score - centre
    level, slope, extra = float(np.log((count.sum() + 0.5) / len(count))), prior, 0.5 / len(count)
    for _ in range(50):
        mean = np.exp(level + slope * x)
        slack = count + extra - mean
        gradient = np.array([slack.sum(), slack @ x - (slope - prior) / SLOPE_SD**2])
        cross = mean @ x
        curvature = np.array([[mean.sum(), cross], [cross, mean @ x**2 + 1 / SLOPE_SD**2]])
        step = np.clip(np.linalg.solve(curvature, gradient), -0.5, 0.5)
        level, slope = level + float(step[0]), slope + float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    return level - slope * centre + float(np.log(unit)), slope


def _curves(values: Floats, prices: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Multiplier and gain by pace: auctions are bought by value per price until the pace is spent."""
    ratio = prices / values
    order = np.argsort(ratio, kind="stable")
    spend, gain = np.cumsum(prices[order]) / len(order), np.cumsum(values[order]) / len(order)
    pace = np.geomspace(LOWEST, HIGHEST, POINTS)
    return tuple(np.interp(pace, spend, ratio[order]).tolist()), tuple(np.interp(pace, spend, gain).tolist())


def _shades(prices: Floats) -> tuple[float, ...]:
    """For each of `WORTHS` the logged price with the highest surplus, (worth - price) x win probability.

    The worth itself where no price has a positive surplus: such a bid wins nothing.
    """
    bids = np.quantile(prices, np.linspace(0, 1, PRICES))
    chance = np.searchsorted(np.sort(prices), bids, side="right") / len(prices)
    surplus = (WORTHS[:, None] - bids) * chance
    return tuple(np.where(surplus.max(axis=1) > 0, bids[surplus.argmax(axis=1)], WORTHS).tolist())


def _shaded_curves(
    values: Floats, prices: Floats, shades: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """As `_curves`, where winners pay their shaded bids."""
    multipliers = np.geomspace(WORTHS[0], WORTHS[-1], POINTS)
    bids = [shade(m * values, shades) for m in multipliers]
    spend = np.array([(bid * (bid >= prices)).mean() for bid in bids])
    gain = np.array([(values * (bid >= prices)).mean() for bid in bids])
    pace = np.geomspace(LOWEST, HIGHEST, POINTS)
    return tuple(np.interp(pace, spend, multipliers).tolist()), tuple(np.interp(pace, spend, gain).tolist())


def _pairs(values: Floats, prices: Floats, rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...]]:
    order = np.lexsort((prices, values))
    width = len(order) / PAIRS
    picked = order[((np.arange(PAIRS) + rng.random(PAIRS)) * width).astype(np.int64)]
    value, price = values[picked], prices[picked]
    return tuple((value / value.mean()).tolist()), tuple((price / price.mean()).tolist())
