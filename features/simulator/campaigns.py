"""Parameters of a simulated campaign: response rates, prices, channels, seasons and delays."""

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
    """A frozen record that forbids unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Season(Record):
    """Weekly season: 1 + amplitude · cos(2π · (hour - peak) / 24), times `weekend` on Saturday and Sunday."""

    amplitude: Annotated[float, Field(ge=0, lt=1)]
    peak: Annotated[float, Field(ge=0, lt=HOURS_A_DAY)]
    weekend: PositiveFloat

    def levels(self) -> npt.NDArray[np.float64]:
        """The level in the middle of each hour, of (7, 24) from Monday; not normalized."""
        angle = 2 * np.pi * (np.arange(HOURS_A_DAY) + 0.5 - self.peak) / HOURS_A_DAY
        day = np.where(np.arange(DAYS_A_WEEK) < SATURDAY, 1.0, self.weekend)
        return np.asarray(day[:, None] * (1 + self.amplitude * np.cos(angle)))


class Channel(Record):
    """An advertising channel: its share of the auctions, and its relative prices and click rates."""

    name: str
    share: Share
    price: PositiveFloat
    response: PositiveFloat


class DelayMixture(Record):
    """Delay from a click to its conversion, a mixture of two exponentials.

    Quick conversions take `quick_hours` on average; the mean of the slow ones and the shares of both follow from the
    shares of conversions `within_day` and `within_fortnight`. Chapelle (2014) models the delay at Criteo by an
    exponential with delays of up to a month.
    """

    quick_hours: Annotated[float, Field(gt=0, le=4)]
    within_day: Annotated[float, Field(gt=0, lt=1)]
    within_fortnight: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _later_is_more(self) -> "DelayMixture":
        if not self.within_day < self.within_fortnight or self.slow_share >= 1:
            raise ValueError("delay: expected within_day < within_fortnight and a share of slow conversions below 1")
        return self

    @property
    def slow_hours(self) -> float:
        """Mean delay of slow conversions, in hours; assumes that all quick ones happen within a day."""
        return 13 * HOURS_A_DAY / math.log((1 - self.within_day) / (1 - self.within_fortnight))

    @property
    def slow_share(self) -> float:
        return (1 - self.within_day) * math.exp(HOURS_A_DAY / self.slow_hours)


class Conversions(Record):
    """Conversions after clicks.

    Attributes:
        rate: mean conversions per click.
        spread: standard deviation of the logarithm of the predicted rate over clicks.
        value, value_spread: mean and standard deviation of a conversion's log-normal value.
        delay: time from click to conversion.
    """

    rate: Share
    spread: Annotated[float, Field(ge=0)]
    value: PositiveFloat
    value_spread: Annotated[float, Field(ge=0)]
    delay: DelayMixture


class CampaignStatistics(Record):
    """Statistics that the simulator is fitted to. All money is in the unit of `price`.

    Attributes:
        ctr: mean clicks per impression.
        price, price_spread: mean and standard deviation of the market price.
        auc: area under the ROC curve of the predicted click rate.
        unseen: standard deviation of the logarithm of the true click and conversion rates around the predicted ones.
        price_correlation: correlation of predicted click rate and market price within a channel and hour, as normal
            scores.
        daily: mean auctions per day.
        volume, price_season, response: weekly seasons of auction count, prices and click rates.
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
    def _channels_are_whole(self) -> "CampaignStatistics":
        names = [channel.name for channel in self.channels]
        total = sum(channel.share for channel in self.channels)
        if len(set(names)) < len(names) or not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"channels: expected unique names and shares that sum to 1, got {names} and {total}")
        return self

    def of_channels(self, what: str) -> npt.NDArray[Any]:
        """One property of all channels, in order."""
        return np.array([getattr(channel, what) for channel in self.channels])


class Shift(Record):
    """A change of competition: from a day on, prices are multiplied by `price`.

    Applies to one channel or to all (None), in the hours [first, second) of `hours`.
    """

    from_day: Annotated[float, Field(ge=0)]
    price: PositiveFloat
    channel: str | None = None
    hours: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(le=HOURS_A_DAY)]] = (0, HOURS_A_DAY)
