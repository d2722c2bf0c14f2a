"""What is expected of effects before clicks are seen: a Gaussian process over texts (Rasmussen and Williams, 2006).

Its covariance is a sum of polynomial kernels, none above the second degree, so that what was learnt folds into weights
and no text of the training is needed to predict.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from models.text.effects.evidence import Array, ClickEvidence
from models.text.effects.inputs import EncodedTexts, Matrix

#: Rows of a block that the variances are fitted on, blocks and steps at most.
ROWS, BLOCKS, STEPS = 1000, 5, 20
#: Texts whose covariances are computed at a time.
AT_ONCE = 512
#: Days after which levels have e times less in common.
DRIFT = 60.0
#: How far, in logarithms, a variance strays from where it starts unless the data says so.
STRAY = 2.0


@dataclass(frozen=True)
class TextPrior:
    """Variances of log-odds, by where they come from.

    Attributes:
        words: of words and pairs of words.
        traits, traits_squared: of traits, and of pairs of them.
        states, states_squared: of states in the layers, and of pairs in a layer.
        traits_by_states: of a trait where a state is.
        own: of a text, beyond all that is read of it.
        picture: between pictures of a group.
        group: between groups, beyond their texts.
        time: between days, beyond groups; an Ornstein-Uhlenbeck process.
    """

    words: float = 0.03
    traits: float = 0.003
    traits_squared: float = 0.003
    states: float = 0.04
    states_squared: float = 0.03
    traits_by_states: float = 0.01
    own: float = 0.003
    picture: float = 0.03
    group: float = 0.2
    time: float = 0.1

    def between(self, left: EncodedTexts, right: EncodedTexts) -> Matrix:
        """Covariance of effects by what is read of the texts, (left, right)."""
        found: Matrix = np.empty((len(left), len(right)), np.float32)
        for start in range(0, len(left), AT_ONCE):
            rows = np.arange(start, min(start + AT_ONCE, len(left)))
            found[rows] = self._weighed(_kernels(*_between(left[rows], right)))
        return found

    def along(self, left: EncodedTexts, right: EncodedTexts) -> Array:
        """Covariance of each effect of `left` with that of `right` in its place."""
        found = self._weighed(_kernels(*_along(left, right)))
        return found.astype(np.float64)

    def _weighed(self, kernels: dict[str, Matrix]) -> Matrix:
        found = np.zeros_like(kernels["traits"])
        for name, kernel in kernels.items():
            found += np.float32(getattr(self, name)) * kernel
        return found

    @classmethod
    def fit(cls, blocks: Sequence[tuple[ClickEvidence, EncodedTexts]]) -> Self:
        """Maximum marginal likelihood of all blocks of rows, as if independent, with a weak prior at the defaults."""
        start = np.log([getattr(cls(), one.name) for one in fields(cls)])
        parts = [_all_kernels(rows, texts) for rows, texts in blocks]

        def loss(logs: Array) -> tuple[float, Array]:
            away = (logs - start) / STRAY
            total, slope = float(away @ away / 2), away / STRAY
            for (rows, _), kernels in zip(blocks, parts, strict=True):
                more, steep = _unlikely(rows, kernels, np.exp(logs))
                total, slope = total + more, slope + steep * np.exp(logs)
            return total, slope

        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
        return cls(*np.exp(found).tolist())


def _all_kernels(rows: ClickEvidence, texts: EncodedTexts) -> list[Matrix]:
    """(rows, rows), in the order of the variances."""
    read = texts[rows.text]
    return [*_kernels(*_between(read, read)).values(), *(kernel for _, kernel in shared(rows))]


def _unlikely(rows: ClickEvidence, kernels: Sequence[Matrix], variances: Array) -> tuple[float, Array]:
    """Minus the logarithm of the marginal likelihood, and its derivatives by the variances."""
    whole = np.diag(rows.noise)
    for variance, kernel in zip(variances, kernels, strict=True):
        whole += variance * kernel
    factor, _ = cho_factor(whole, lower=True, overwrite_a=True, check_finite=False)
    half = np.log(np.diag(factor)).sum()
    weights = cho_solve((factor, True), rows.value, check_finite=False)
    inverse, _ = dpotri(factor, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    slopes = [np.vdot(inverse, kernel) - weights @ (kernel @ weights) for kernel in kernels]
    return float(rows.value @ weights / 2 + half), np.array(slopes) / 2


def _between(left: EncodedTexts, right: EncodedTexts) -> tuple[Matrix, Matrix, Matrix]:
    """Products of words and traits, (left, right), and of states, (layers, left, right)."""
    words = (left.words @ right.words.T).toarray()
    return words, left.traits @ right.traits.T, left.states @ right.states.transpose(0, 2, 1)


def _along(left: EncodedTexts, right: EncodedTexts) -> tuple[Matrix, Matrix, Matrix]:
    """The same of each text of `left` with that of `right` in its place, (texts,) and (layers, texts)."""
    words = np.asarray(left.words.multiply(right.words).sum(axis=1)).ravel()
    return words, (left.traits * right.traits).sum(axis=1), (left.states * right.states).sum(axis=2)


def _kernels(words: Matrix, traits: Matrix, states: Matrix) -> dict[str, Matrix]:
    """The kernels, by the variance that each is scaled with, from products."""
    mean = states.mean(axis=0)
    return {
        "words": words,
        "traits": traits,
        "traits_squared": traits**2,
        "states": mean,
        "states_squared": (states**2).mean(axis=0),
        "traits_by_states": traits * mean,
    }


def shared(evidence: ClickEvidence) -> Iterator[tuple[str, Matrix]]:
    """The kernels of what rows share beside what is read of their texts, (rows, rows), by the variance that each is
    scaled with."""
    places = {"own": evidence.text, "picture": evidence.picture, "group": evidence.group}
    for name, place in places.items():
        yield name, (place[:, None] == place[None]).astype(np.float32)
    yield "time", np.exp(-np.abs(evidence.day[:, None] - evidence.day[None]) / DRIFT).astype(np.float32)
