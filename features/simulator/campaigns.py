"""What a simulated campaign is made of: how it is answered, what its auctions cost, where and when they come."""

import math
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Share = Annotated[float, Field(gt=0, le=1)]
DAYS_A_WEEK, HOURS_A_DAY = 7, 24
#: The first day of the weekend, counted from Monday as 0.
SATURDAY = 5


class Record(BaseModel):
    """A frozen record that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Season(Record):
    """A level over the week: a wave over the day of one peak, and another height at the weekend.

    The wave is 1 + amplitude · cos(2π · (hour - peak) / 24); Saturday and Sunday are `weekend` times as high.
    """

    amplitude: Annotated[float, Field(ge=0, lt=1)]
    peak: Annotated[float, Field(ge=0, lt=HOURS_A_DAY)]
    weekend: PositiveFloat

    def levels(self) -> npt.NDArray[np.float64]:
        """The level in the middle of each hour, of (7, 24) from Monday; how high it is on average is left open."""
        angle = 2 * np.pi * (np.arange(HOURS_A_DAY) + 0.5 - self.peak) / HOURS_A_DAY
        day = np.where(np.arange(DAYS_A_WEEK) < SATURDAY, 1.0, self.weekend)
        return np.asarray(day[:, None] * (1 + self.amplitude * np.cos(angle)))


class Channel(Record):
    """A place where ads run: its share of the auctions, and its prices and click rates next to the other channels'."""

    name: str
    share: Share
    price: PositiveFloat
    response: PositiveFloat


class Delay(Record):
    """Time from a click to its conversion: some convert in the same session, the others once they have slept on it.

    A mixture of two exponentials: the quick ones take `quick_hours` on average, and the mean of the slow ones and the
    share of both follow from the shares of conversions that have come `within_day` and `within_fortnight`. Chapelle
    (2014) models the delay of clicks at Criteo by an exponential that may last a month.
    """

    quick_hours: Annotated[float, Field(gt=0, le=4)]
    within_day: Annotated[float, Field(gt=0, lt=1)]
    within_fortnight: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _later_is_more(self) -> "Delay":
        if not self.within_day < self.within_fortnight or self.slow_share >= 1:
            raise ValueError("delay: within_fortnight must lie above within_day, and slow conversions below all")
        return self

    @property
    def slow_hours(self) -> float:
        """Mean delay of the slow ones; of the quick ones none is left after a day."""
        return 13 * HOURS_A_DAY / math.log((1 - self.within_day) / (1 - self.within_fortnight))

    @property
    def slow_share(self) -> float:
        return (1 - self.within_day) * math.exp(HOURS_A_DAY / self.slow_hours)


class Conversions(Record):
    """What comes of clicks.

    Attributes:
        rate: conversions a click, on average.
        spread: standard deviation of the logarithm of the predicted rate, from click to click.
        value, value_spread: mean of a conversion's value, log-normal, and its standard deviation.
        delay: when it comes.
    """

    rate: Share
    spread: Annotated[float, Field(ge=0)]
    value: PositiveFloat
    value_spread: Annotated[float, Field(ge=0)]
    delay: Delay


class Campaign(Record):
    """A campaign as the simulator is fitted to it. Money is in one unit throughout: that of `price`.

    Attributes:
        ctr: clicks an impression, on average over the week and the channels.
        price, price_spread: mean and standard deviation of the market price.
        auc: how well the predicted click rate tells clicks from the rest: the area under its ROC curve.
        unseen: standard deviation of the logarithm of the true click and conversion rates around the predicted ones.
        price_correlation: of the predicted click rate with the market price within a channel and hour, both as normal
            scores: others bid more for what is clicked more.
        daily: auctions a day, on average over the week.
        volume, price_season, response: how the number of auctions, their prices and their click rates go over the week.
    """

    name: str
    ctr: Annotated[float, Field(gt=0, le=0.1)]
    price: PositiveFloat
    price_spread: PositiveFloat
    auc: Annotated[float, Field(gt=0.5, le=0.85)]
    unseen: Annotated[float, Field(ge=0, le=1)]
    price_correlation: Annotated[float, Field(gt=-1, lt=1)]
    daily: PositiveInt
    conversions: Conversions
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    volume: Season
    price_season: Season
    response: Season

    @model_validator(mode="after")
    def _channels_are_whole(self) -> "Campaign":
        names = [channel.name for channel in self.channels]
        total = sum(channel.share for channel in self.channels)
        if len(set(names)) < len(names) or not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"channels: expected different names and shares that make up 1, got {names} and {total}")
        return self

    def of_channels(self, what: str) -> npt.NDArray[Any]:
        """One property of every channel, in their order."""
        return np.array([getattr(channel, what) for channel in self.channels])


class Shift(Record):
    """Competition that changes: from a day on, prices are `price` times as high.

    In one channel or in all (None), and in the hours of the day from the first of `hours` to before the second.
    """

    from_day: Annotated[float, Field(ge=0)]
    price: PositiveFloat
    channel: str | None = None
    hours: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(le=HOURS_A_DAY)]] = (0, HOURS_A_DAY)
