"""Draws auctions of one campaign by hour or day; each hour depends only on the seed, not on the order of draws."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from features.simulator.campaigns import DAYS_A_WEEK, HOURS_A_DAY, CampaignStatistics, DelayMixture, Shift
from features.simulator.market import SCORES, Floats, SimulatedMarket, fit
from features.simulator.published import PUBLISHED

Integers = npt.NDArray[np.int64]
#: Day 0 of every simulation, a Monday.
START = np.datetime64("2024-01-01T00:00:00", "us")
_HOUR = 3_600_000_000  # microseconds


@dataclass(frozen=True)
class SimulatedAuctions:
    """Auctions in order of time with their potential outcomes; every array is of (auctions,).

    Attributes:
        occurred_at: local time, datetime64[us].
        hour, weekday: 0-23, and 0-6 from Monday.
        channel: index in the campaign's channels.
        predicted_ctr, predicted_cvr: predicted probabilities of a click, and of a conversion after a click.
        predicted_value: predicted value of winning.
        market_price: highest competing bid.
        ctr, cvr: true probabilities, hidden from bidders.
        click: 1 where the impression would be clicked, else 0.
        conversion_value: value of the conversion that would follow, 0 where none would.
        delay_hours: from the auction to the conversion; NaN where none would follow.
    """

    occurred_at: npt.NDArray[np.datetime64]
    hour: Integers
    weekday: Integers
    channel: Integers
    predicted_ctr: Floats
    predicted_cvr: Floats
    predicted_value: Floats
    market_price: Floats
    ctr: Floats
    cvr: Floats
    click: Floats
    conversion_value: Floats
    delay_hours: Floats

    def __len__(self) -> int:
        return len(self.occurred_at)


def join(parts: Sequence[SimulatedAuctions]) -> SimulatedAuctions:
    """Concatenate opportunities."""
    names = [each.name for each in fields(SimulatedAuctions)]
    return SimulatedAuctions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class Simulator:
    """Draws a campaign's auctions. `shifts` change prices only; all other draws stay the same.

    Raises ValueError where the campaign lacks the channel of a shift, or no distribution fits.
    """

    campaign: CampaignStatistics
    seed: int
    shifts: tuple[Shift, ...] = ()
    market: SimulatedMarket = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unknown = {shift.channel for shift in self.shifts} - {None, *self.campaign.of_channels("name")}
        if unknown:
            raise ValueError(f"shifts: campaign '{self.campaign.name}' has no channel {sorted(map(str, unknown))}")
        object.__setattr__(self, "market", fit(self.campaign))

    @classmethod
    def published(cls, name: str, seed: int, shifts: tuple[Shift, ...] = ()) -> Self:
        """The simulator of a campaign in `PUBLISHED`. Raises KeyError for an unknown name."""
        return cls(PUBLISHED[name], seed, shifts)

    def hour(self, number: int) -> SimulatedAuctions:
        """The auctions of an hour since `START`; their number is random around the season."""
        rng = self._rng("hour", number)
        day, hour = divmod(number, HOURS_A_DAY)
        expected = self.campaign.daily * DAYS_A_WEEK * self.market.volume[day % DAYS_A_WEEK, hour]
        return self._draw(number + np.sort(rng.random(rng.poisson(expected))), rng)

    def stream(self, days: int) -> Iterator[SimulatedAuctions]:
        """Yield the auctions of each hour from `START`."""
        return map(self.hour, range(days * HOURS_A_DAY))

    def day(self, number: int, auctions: int) -> SimulatedAuctions:
        """A day since `START` with this many auctions, spread over its hours by the season.

        Every weekday has the same number, so the weekend has slightly more weight than in the published mean.
        """
        rng = self._rng("day", number)
        passed = np.concatenate([[0.0], np.cumsum(self.market.volume[number % DAYS_A_WEEK])])
        clock = np.interp(np.sort(rng.random(auctions)) * passed[-1], passed, np.arange(HOURS_A_DAY + 1.0))
        return self._draw(number * HOURS_A_DAY + clock, rng)

    def _rng(self, span: str, number: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.campaign.name} {span}".encode()), number])

    def _draw(self, clock: Floats, rng: np.random.Generator) -> SimulatedAuctions:
        """One auction at each of these hours since `START`."""
        whole = clock.astype(np.int64)
        hour, weekday = whole % HOURS_A_DAY, whole // HOURS_A_DAY % DAYS_A_WEEK
        shares = np.cumsum(self.campaign.of_channels("share"))[:-1]
        channel = np.searchsorted(shares, rng.random(len(clock)), side="right")
        cell = (channel, weekday, hour)
        seen, unseen, others, clicker, unseen_clicker = rng.standard_normal((5, len(clock)))
        predicted_ctr = _rate(self.campaign.ctr * self.market.response_level[cell], self.market.spread, seen)
        ctr = _rate(predicted_ctr, self.campaign.unseen, unseen)
        sold = self.campaign.conversions
        predicted_cvr = _rate(np.full(len(clock), sold.rate), sold.spread, clicker)
        cvr = _rate(predicted_cvr, self.campaign.unseen, unseen_clicker)
        click = rng.random(len(clock)) < ctr
        conversion_value, delay = self._convert(click, cvr, rng)
        return SimulatedAuctions(
            occurred_at=START + (clock * _HOUR).astype("timedelta64[us]"),
            hour=hour,
            weekday=weekday,
            channel=channel,
            predicted_ctr=predicted_ctr,
            predicted_cvr=predicted_cvr,
            predicted_value=predicted_ctr * predicted_cvr * sold.value,
            market_price=self._prices(seen, others, cell) * self._shifted(clock, channel),
            ctr=ctr,
            cvr=cvr,
            click=click.astype(np.float64),
            conversion_value=conversion_value,
            delay_hours=delay,
        )

    def _prices(self, seen: Floats, others: Floats, cell: tuple[Integers, ...]) -> Floats:
        """Gamma prices tied to the predictions by a Gaussian copula."""
        tie = self.campaign.price_correlation
        score = tie * seen + (1 - tie**2) ** 0.5 * others
        return np.asarray(np.interp(score, SCORES, self.market.price_quantiles) * self.market.price_level[cell])

    def _shifted(self, clock: Floats, channel: Integers) -> Floats:
        level = np.ones(len(clock))
        for shift in self.shifts:
            in_channel = shift.channel is None or self.campaign.of_channels("name")[channel] == shift.channel
            first, end = shift.hours
            in_hours = (clock % HOURS_A_DAY >= first) & (clock % HOURS_A_DAY < end)
            level[(clock >= shift.from_day * HOURS_A_DAY) & in_hours & in_channel] *= shift.price
        return level

    def _convert(self, click: npt.NDArray[np.bool_], cvr: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        value, delay = np.zeros(len(click)), np.full(len(click), np.nan)
        clicked = np.flatnonzero(click)
        converted = clicked[rng.random(len(clicked)) < cvr[clicked]]
        sold = self.campaign.conversions
        spread = np.log1p((sold.value_spread / sold.value) ** 2) ** 0.5
        value[converted] = sold.value * np.exp(spread * rng.standard_normal(len(converted)) - spread**2 / 2)
        delay[converted] = _delays(sold.delay, len(converted), rng)
        return value, delay


def _rate(mean: Any, spread: float, score: Floats) -> Floats:
    """Log-normal rates around their means, clipped at 1."""
    return np.asarray(np.minimum(mean * np.exp(spread * score - spread**2 / 2), 1.0))


def _delays(delay: DelayMixture, count: int, rng: np.random.Generator) -> Floats:
    mean = np.where(rng.random(count) < delay.slow_share, delay.slow_hours, delay.quick_hours)
    return np.asarray(mean * rng.standard_exponential(count))
