"""The plan of a release, and the interface of traffic splitters."""

from typing import Annotated, Protocol

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from serving.released.split import Split

Percent = Annotated[int, Field(gt=0, le=100)]


class Tolerance(BaseModel):
    """Tolerated losses of a canary, in addition to statistical noise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Share of requests that fail, above the champion's.
    errors: float = Field(ge=0, lt=1)
    #: Median and 95th percentile of latency as a multiple of the champion's, plus a floor for machines that are noisy.
    latency_ratio: PositiveFloat
    latency_floor_ms: PositiveFloat
    #: Distance between the distributions of answers (two-sample Kolmogorov-Smirnov, 0 to 1; see `judge.distance`).
    shift: float = Field(ge=0, le=1)
    #: Loss of the outcome metric.
    outcome: float = Field(ge=0)


class Plan(BaseModel):
    """The section `release` of `params.yaml`: the steps to full traffic and the tolerances at each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Percent of traffic the canary gets, step by step, ending at 100.
    steps: tuple[Percent, ...]
    #: Requests the canary must have been sent before a step is judged.
    min_requests: PositiveInt
    #: Seconds a step may wait for them.
    step_timeout_s: PositiveFloat
    tolerance: Tolerance

    @model_validator(mode="after")
    def _rises_to_all(self) -> "Plan":
        if len(self.steps) < 2 or list(self.steps) != sorted(set(self.steps)) or self.steps[-1] != 100:
            raise ValueError(f"release.steps: expected rising percentages, 100 the last, got {list(self.steps)}")
        return self


class CannotServe(RuntimeError):
    """A version does not start: refused, broken, or timed out."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(f"version {version} cannot be served: {reason}")
        self.version, self.reason = version, reason


class CannotFetch(ConnectionError):
    """The bundle of a version is temporarily unavailable."""


class Traffic(Protocol):
    """Splits requests between versions, and records each attempt."""

    def url(self, family: str) -> str:
        """The family's address, after `split`."""

    def split(self, family: str, split: Split) -> None:
        """Apply this split to the traffic of `family`; returns once it is effective.

        Raises `CannotServe`, and `CannotFetch` for temporary failures.
        """

    def attempts(self, family: str, since: float) -> pd.DataFrame:
        """Every request tried on a version since this time (Unix seconds): `at`, `version`, `ok`, `latency_ms`.

        A request that a canary failed and the champion then answered is one failed attempt of the canary; the
        champion's rescue is not counted for either.
        """

    def close(self) -> None:
        """Stop everything started for this release only."""
