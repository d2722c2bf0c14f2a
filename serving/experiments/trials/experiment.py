"""The record of an experiment: what was planned before the start, and where it stands."""

from datetime import date
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from serving.experiments.trials.sample_size import ControlOutcome, detectable, required

Name = Annotated[str, Field(min_length=1, max_length=200)]
State = Literal["planned", "running", "stopped"]
Share = Annotated[float, Field(gt=0, lt=1)]
#: Days of a week: results and the end come after whole weeks, since weekdays differ.
WEEK = 7


def _wrong(said: str) -> PydanticCustomError:
    """An error of validation, which holds no frames as a ValueError would."""
    return PydanticCustomError("experiment", "{said}", {"said": said})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Arm(_Record):
    """One variant and its share of the experiment's units."""

    name: Name
    share: Share


class Guard(_Record):
    """A metric that must not get worse by more than `tolerated`, relative to the control."""

    metric: Name
    worse: Literal["higher", "lower"]
    tolerated: Annotated[float, Field(ge=0, lt=1)] = 0.0


class LayerSegment(_Record):
    """The part of a layer's units that an experiment takes, in [0, 1]."""

    start: Annotated[float, Field(ge=0, lt=1)] = 0.0
    end: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.start < self.end:
            raise _wrong(f"expected start below end, got {self.start:g} and {self.end:g}")
        return self


class Experiment(_Record):
    """What was planned, and its course.

    Attributes:
        metric: what decides: a column of the data (`clicks`, `conversions`, `converted`, ...).
        arms: the control first.
        lift: the smallest relative effect worth finding.
        equivalence: relative effects within it, on either side, do not matter.
        rate: of the control, where the metric is one; else its `mean` and `sd`.
        needed: units of all arms together, and `days` in full weeks, fixed before the start; a resized plan looks only
            at the rate of all arms together.
        conversion_days: for how long outcomes of an exposure are waited for.
        attributes: columns of the units, known before the exposure, by which a personal choice of the arm is tried.
        campaign_id: counts the decisions of one campaign only.
        layer, segment: experiments of one layer exclude each other, those of different layers are independent.
    """

    name: Name
    metric: Name
    arms: Annotated[tuple[Arm, ...], Field(min_length=2)]
    lift: Annotated[float, Field(gt=0, le=10)]
    equivalence: Annotated[float, Field(gt=0, lt=1)]
    rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    mean: Annotated[float, Field(gt=0)] | None = None
    sd: Annotated[float, Field(gt=0)] | None = None
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    power: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    needed: Annotated[int, Field(gt=0)]
    days: Annotated[int, Field(ge=WEEK, multiple_of=WEEK)]
    conversion_days: Annotated[int, Field(ge=0)] = 0
    guards: tuple[Guard, ...] = ()
    attributes: tuple[str, ...] = ()
    campaign_id: Name | None = None
    layer: Name
    segment: LayerSegment = LayerSegment()
    state: State = "planned"
    planned_on: date
    started_on: date | None = None
    stopped_on: date | None = None
    outcome: str = ""

    @field_validator("arms")
    @classmethod
    def _whole(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        names = [arm.name for arm in arms]
        if len(set(names)) < len(names):
            raise _wrong(f"expected each name once, got {', '.join(names)}")
        if abs(sum(arm.share for arm in arms) - 1) > 1e-6:
            raise _wrong(f"expected shares that sum to 1, got {sum(arm.share for arm in arms):g}")
        return arms

    @model_validator(mode="after")
    def _expected(self) -> Self:
        if [one is not None for one in (self.rate, self.mean, self.sd)] not in (
            [True, False, False],
            [False, True, True],
        ):
            raise _wrong("rate, mean, sd: expected either a rate, or a mean and its sd")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.started_on is not None and self.stopped_on is not None and self.stopped_on < self.started_on:
            raise _wrong(f"stopped_on: expected a day from {self.started_on}, when it started, got {self.stopped_on}")
        return self

    def changed(self, **fields: object) -> Self:
        """The experiment with other values. Raises `ValidationError` naming a field."""
        return type(self).model_validate({**self.model_dump(), **fields})

    @property
    def names(self) -> tuple[str, ...]:
        """The arms, the control first."""
        return tuple(arm.name for arm in self.arms)

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(arm.share for arm in self.arms)

    @property
    def control(self) -> ControlOutcome:
        """What the control is expected to show."""
        return ControlOutcome(self.rate) if self.rate is not None else ControlOutcome(self.mean or 0.0, self.sd)


class TooSmall(ValueError):
    """The traffic cannot answer the question. The message has the figures and what to do."""


def size(
    expected: ControlOutcome,
    lift: float,
    shares: tuple[float, ...],
    alpha: float,
    power: float,
    units: float | None = None,
) -> int:
    """Units that all arms need together.

    Args:
        units: all that there will be; None where that is not known.

    Raises:
        TooSmall: `units` are fewer; says what they could show.
    """
    needed = required(expected, lift, shares, alpha, power)
    if units is not None and units < needed:
        least = detectable(expected, units, shares, alpha, power)
        smallest = min(shares)
        raise TooSmall(
            f"too small: {units * smallest:,.0f} an arm, and {ceil(needed * smallest):,} an arm are needed to show a "
            f"lift of {lift:.3g} from {_told(expected)} at {alpha:.0%} and {power:.0%} power. These show a lift of "
            f"{least:.3g} or more. Plan more weeks, fewer arms, a larger --lift or a metric that happens more often"
        )
    return needed


def full_weeks(needed: int, daily: float) -> int:
    """Days until `needed` units have come, in full weeks."""
    return max(1, ceil(needed / daily / WEEK)) * WEEK


def _told(expected: ControlOutcome) -> str:
    return f"{expected.mean:.3g}" if expected.sd is None else f"a mean of {expected.mean:.4g} (sd {expected.sd:.4g})"
