"""Compares a model with its baselines, and recommends which of them to use."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Self

import pandas as pd

from models.evaluation import bootstrap
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import Metric


@dataclass(frozen=True)
class BaselineComparison:
    """Improvement of a model over each baseline in `metric`, the naive one first: paired, with 95% intervals."""

    metric: str
    gains: Mapping[str, Interval]

    @classmethod
    def of(
        cls,
        metric: Metric,
        truth: pd.DataFrame,
        answers: pd.DataFrame,
        baselines: Mapping[str, pd.DataFrame],
        seed: int,
    ) -> Self:
        """Compare `answers` with those of every baseline on the same rows."""
        return cls(metric.name, bootstrap.gains(metric, truth, answers, baselines, seed))

    @property
    def better(self) -> tuple[str, ...]:
        """The baselines that are significantly better, the best first."""
        found = [name for name, gain in self.gains.items() if gain.high < 0]
        return tuple(sorted(found, key=lambda name: self.gains[name].value))

    @property
    def above_naive(self) -> Interval:
        """Improvement of the model over the naive baseline."""
        return next(iter(self.gains.values()))

    @property
    def nearest(self) -> str:
        """The baseline with the best figure."""
        return min(self.gains, key=lambda name: self.gains[name].value)

    @property
    def undefined(self) -> bool:
        """Whether a comparison is undefined on these rows, for example with one class only."""
        return any(isnan(gain.high) for gain in self.gains.values())

    def describe(self, name: str) -> str:
        """The comparison with one baseline as text."""
        gain = self.gains[name]
        return f"above {name} by {gain.value:.4g}, 95% interval {gain.low:.4g} to {gain.high:.4g}"

    def recommended(self, own: str) -> str | None:
        """Name of the model to use; `own` is the name of the compared model.

        The best baseline that is significantly better; the naive one where the model is not significantly better than
        it; else the model. None where undefined.
        """
        if not self.gains:
            return own
        if self.undefined:
            return None
        if self.better:
            return self.better[0]
        return own if self.above_naive.low > 0 else next(iter(self.gains))
