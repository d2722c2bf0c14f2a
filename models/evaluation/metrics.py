"""What a prediction is worth: each metric compares a frame of truth with a frame of answers, row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Metric:
    """A named figure of merit. `measure(truth, answers)` takes frames on one index and returns a float."""

    name: str
    measure: Callable[[pd.DataFrame, pd.DataFrame], float]
    higher_is_better: bool = True

    def gain(self, candidate: float, other: float) -> float:
        """By how much `candidate` is better than `other`; negative where it is worse."""
        return (candidate - other) if self.higher_is_better else (other - candidate)
