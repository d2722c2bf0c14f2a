"""The gates between a trained model and a release: each reads the evidence and says yes or no, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from models.evaluation.metrics import Metric


@dataclass(frozen=True)
class Evidence:
    """All a gate may judge by: held-out rows, their truth, and the answers of everyone who was asked.

    Attributes:
        rows, truth: held-out feature rows and label columns, on one index.
        answers: the candidate's; `naive` the naive baseline's; `champion` the released model's, or None.
        train: the frame the candidate learnt from (features and labels), to look for leaks.
        metric: what candidate, baseline and champion are compared on.
        sensitive: names of columns whose groups must be treated alike.
        card: the model card's sections by title.
        seed: of the bootstrap.
    """

    rows: pd.DataFrame
    truth: pd.DataFrame
    answers: pd.DataFrame
    naive: pd.DataFrame
    champion: pd.DataFrame | None
    train: pd.DataFrame
    metric: Metric
    sensitive: tuple[str, ...]
    card: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class Verdict:
    """What one gate said: `reason` in words, `figures` in numbers."""

    gate: str
    passed: bool
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)


Gate = Callable[[Evidence], Verdict]
