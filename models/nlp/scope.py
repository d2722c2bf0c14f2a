"""Whether a text belongs to any label of a task: by its nearest known texts, and by how sure the tuned layers are.

The score is the mean cosine to the nearest known texts (Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", 2022) and the energy of the logits (Liu et al., "Energy-based Out-of-distribution Detection", 2020), each by
its spread. What it means as a probability is learnt by leaving labels out: their texts are out of the rest's scope.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from models.logistic import Doubles, Labels
from models.nlp.features import Array

#: Nearest texts whose similarity counts.
NEAREST = 5
#: Labels of a task with fewer than which every text is in scope: a sentiment can be told of anything.
FEWEST_LABELS = 6
#: Parts that the labels are left out in.
FOLDS = 4
#: Rows compared at a time.
AT_ONCE = 1000


#: Least spread of a part of the score that counts: without tuned layers all energies are equal.
LEAST = 1e-6


@dataclass(frozen=True)
class SeenTexts:
    """Texts as a scope sees them: vectors of length 1, logits of the tuned layers (texts, labels), and labels."""

    vectors: Array
    logits: Array
    labels: Labels

    def of(self, here: npt.NDArray[np.bool_]) -> "SeenTexts":
        """Some of the texts."""
        return SeenTexts(self.vectors[here], self.logits[here], self.labels[here])


@dataclass(frozen=True)
class Scope:
    """Vectors of known texts of length 1, and the logistic curve from nearness and energy to the probability."""

    known: Array
    nearness: float
    level: float
    energy: float = 0.0

    @classmethod
    def fit(cls, learnt: SeenTexts, held: SeenTexts, outside: SeenTexts, seed: int) -> Self | None:
        """Fit to texts with known labels, on `held` that nothing else was learnt from where there are enough, and to
        texts out of scope where there are some; None for few labels. Logits are of the labels in their order."""
        names = np.unique(learnt.labels)
        if len(names) < FEWEST_LABELS:
            return None
        from sklearn.linear_model import LogisticRegression

        held = held.of(np.isin(held.labels, names))
        skip = int(len(held.labels) < len(names))  # too few: those that are learnt from, each without itself
        judged = learnt if skip else held
        fold = {name: order % FOLDS for order, name in enumerate(np.random.default_rng(seed).permutation(names))}
        of_name, of_learnt, of_judged = (
            np.array([fold[one] for one in every]) for every in (names, learnt.labels, judged.labels)
        )
        within = _parts(judged, learnt.vectors, skip=skip)
        left_out = [
            _parts(judged.of(of_judged == one), learnt.vectors[of_learnt != one], of_name != one)
            for one in range(FOLDS)
        ]
        every = np.vstack([within, *left_out, _parts(outside, learnt.vectors)])
        spread = within.std(axis=0)
        weights = np.where(spread > LEAST, 1 / np.maximum(spread, LEAST), 0.0)
        inside = np.arange(len(every)) < len(within)
        curve = LogisticRegression(C=1e3, class_weight="balanced").fit((every @ weights)[:, None], inside)
        nearness, energy = (weights * curve.coef_[0, 0]).tolist()
        return cls(learnt.vectors, nearness, float(curve.intercept_[0]), energy)

    def inside(self, vectors: Array, logits: Array) -> npt.NDArray[np.float64]:
        """The probability of each text to be in scope."""
        near, sure = _nearness(vectors, self.known), _energy(logits)
        return 1 / (1 + np.exp(-(self.nearness * near + self.energy * sure + self.level)))


def _parts(seen: SeenTexts, known: Array, labels: npt.NDArray[np.bool_] | None = None, skip: int = 0) -> Doubles:
    """Nearness to known texts and energy of the logits of some labels, (texts, 2)."""
    logits = seen.logits if labels is None else seen.logits[:, labels]
    return np.column_stack([_nearness(seen.vectors, known, skip), _energy(logits)])


def _energy(logits: Array) -> npt.NDArray[np.float64]:
    from scipy.special import logsumexp

    found: npt.NDArray[np.float64] = logsumexp(logits.astype(np.float64), axis=1)
    return found


def _nearness(vectors: Array, known: Array, skip: int = 0) -> npt.NDArray[np.float64]:
    """Mean cosine to the nearest of the known texts, after the `skip` nearest."""
    found = []
    for start in range(0, len(vectors), AT_ONCE):
        cosines = vectors[start : start + AT_ONCE] @ known.T
        count = min(NEAREST + skip, cosines.shape[1])
        nearest = -np.sort(np.partition(-cosines, count - 1, axis=1)[:, :count], axis=1)
        found.append(nearest[:, skip:].mean(axis=1, dtype=np.float64))
    return np.concatenate(found) if found else np.empty(0)
