"""Whether a text belongs to any label of a task: by its nearest known texts.

The score is the mean cosine to the nearest known texts (Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", 2022). What it means as a probability is learnt by leaving labels out: their texts are out of the scope of
the rest.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.nlp.features import Array
from models.nlp.head import Labels

#: Nearest texts whose similarity counts.
NEAREST = 5
#: Labels of a task with fewer than which every text is in scope: a sentiment can be told of anything.
FEWEST_LABELS = 6
#: Parts that the labels are left out in.
FOLDS = 4
#: Rows compared at a time.
AT_ONCE = 1000


@dataclass(frozen=True)
class Scope:
    """Vectors of known texts of length 1, and the logistic curve from the score to the probability."""

    known: Array
    slope: float
    level: float

    @classmethod
    def fit(cls, vectors: Array, labels: Labels, outside: Array, seed: int) -> Self | None:
        """Fit to texts with known labels, and to texts out of scope where there are some; None for few labels."""
        names = np.unique(labels)
        if len(names) < FEWEST_LABELS:
            return None
        from sklearn.linear_model import LogisticRegression

        place = {name: order for order, name in enumerate(np.random.default_rng(seed).permutation(names))}
        fold = np.array([place[label] % FOLDS for label in labels])
        within = _nearness(vectors, vectors, skip=1)
        left_out = [_nearness(vectors[fold == one], vectors[fold != one]) for one in range(FOLDS)]
        beyond = np.concatenate([*left_out, _nearness(outside, vectors)])
        scores = np.concatenate([within, beyond])[:, None]
        inside = np.arange(len(scores)) < len(within)
        curve = LogisticRegression(C=1e3, class_weight="balanced").fit(scores, inside)
        return cls(vectors, float(curve.coef_[0, 0]), float(curve.intercept_[0]))

    def inside(self, vectors: Array) -> npt.NDArray[np.float64]:
        """The probability of each text to be in scope."""
        return 1 / (1 + np.exp(-(self.slope * _nearness(vectors, self.known) + self.level)))


def _nearness(vectors: Array, known: Array, skip: int = 0) -> npt.NDArray[np.float64]:
    """Mean cosine to the nearest of the known texts, after the `skip` nearest."""
    found = []
    for start in range(0, len(vectors), AT_ONCE):
        cosines = vectors[start : start + AT_ONCE] @ known.T
        count = min(NEAREST + skip, cosines.shape[1])
        nearest = -np.sort(np.partition(-cosines, count - 1, axis=1)[:, :count], axis=1)
        found.append(nearest[:, skip:].mean(axis=1, dtype=np.float64))
    return np.concatenate(found) if found else np.empty(0)
