"""A calibrated multinomial logistic regression from features to labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

#: Inverse penalties that are tried.
PENALTIES = (0.001, 0.01, 0.1)
#: Temperatures that are tried.
COLDEST, HOTTEST = 0.2, 5.0
EPSILON = 1e-9

Array = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.str_]
#: Weight (labels, features) and bias of a linear layer.
Linear = tuple[Array, Array]


@dataclass(frozen=True)
class Recipe:
    """What is chosen on held-out rows: the penalty, the features that are read and the temperature of a head, and what
    each of two heads weighs where a second one reads tuned layers."""

    penalty: float
    view: slice
    temperature: float = 1.0
    shares: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class LogisticHead:
    """Weights, (labels, features), on raw features."""

    labels: tuple[str, ...]
    weight: Array
    bias: Array

    @classmethod
    def chosen(
        cls,
        learnt: tuple[Array, Labels],
        held: tuple[Array, Labels],
        views: Sequence[slice],
        seed: int,
        penalties: Sequence[float] = PENALTIES,
    ) -> tuple[Self, Recipe]:
        """Fit on the features and labels of `learnt`; the penalty, the view and the temperature (Guo et al., "On
        Calibration of Modern Neural Networks", 2017) are those with the least log loss on `held`.

        Args:
            views: features that are tried: few rows say little of many numbers.
            penalties: inverse penalties that are tried.

        Raises `ValueError` for fewer than two labels.
        """
        x, labels = learnt
        recipes = [Recipe(penalty, view) for view in views for penalty in penalties]
        fitted = [cls.fit(x, labels, recipe, seed) for recipe in recipes]
        known = np.isin(held[1], fitted[0].labels)
        judged = (held[0][known], held[1][known]) if known.any() else learnt
        codes = np.searchsorted(fitted[0].labels, judged[1])
        scored = [_cooled(one.logits(judged[0]), codes) for one in fitted]
        best = min(range(len(scored)), key=lambda place: scored[place][1])
        temperature = scored[best][0]
        return fitted[best].scaled(1 / temperature), replace(recipes[best], temperature=temperature)

    @classmethod
    def fit(cls, x: Array, labels: Labels, recipe: Recipe, seed: int) -> Self:
        """Fit by a recipe. Raises `ValueError` for fewer than two labels."""
        names, codes = np.unique(labels, return_inverse=True)
        if len(names) < 2:
            raise ValueError(f"label: expected at least two different ones, got {', '.join(names) or 'none'}")
        read = x[:, recipe.view]
        center, scale = read.mean(axis=0), read.std(axis=0)
        scale = np.where(scale > EPSILON, scale, np.inf)
        weight, bias = _regression((read - center) / scale, codes, recipe.penalty, seed)
        raw = np.zeros((len(weight), x.shape[1]), np.float32)
        raw[:, recipe.view] = weight / scale
        head = cls(tuple(map(str, names)), raw, (bias - (weight / scale) @ center).astype(np.float32))
        return head.scaled(1 / recipe.temperature)

    def scaled(self, share: float) -> Self:
        """With logits that are multiplied."""
        return type(self)(self.labels, self.weight * np.float32(share), self.bias * np.float32(share))

    def shares(self, other: Linear, x: Array, labels: Labels) -> tuple[float, float]:
        """What the logits of this head and those of `other`, a linear layer on the features after this head's, weigh:
        by the least log loss on rows that neither was fitted on. Equal where there are none."""
        from scipy.optimize import minimize

        known = np.isin(labels, self.labels)
        if not known.any():
            return 0.5, 0.5
        codes, own = np.searchsorted(self.labels, labels[known]), self.weight.shape[1]
        ours = self.logits(x[known, :own])
        theirs = (x[known, own:] @ other[0].T + other[1]).astype(np.float64)

        def loss(shares: Doubles) -> float:
            return log_loss(shares[0] * ours + shares[1] * theirs, codes)

        first, second = minimize(loss, np.array([0.5, 0.5]), bounds=[(0, HOTTEST)] * 2).x
        return float(first), float(second)

    def joined(self, other: Linear, shares: tuple[float, float]) -> Self:
        """With the logits of `other` added, each by its share."""
        own, theirs = self.scaled(shares[0]), type(self)(self.labels, *other).scaled(shares[1])
        return type(self)(self.labels, np.hstack([own.weight, theirs.weight]), own.bias + theirs.bias)

    def logits(self, x: Array) -> Doubles:
        """(rows, labels)."""
        found: Doubles = (x @ self.weight.T + self.bias).astype(np.float64)
        return found

    def probabilities(self, x: Array) -> Doubles:
        """(rows, labels)."""
        return softmax(self.logits(x))


def softmax(logits: Doubles) -> Doubles:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Doubles = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _regression(x: Array, codes: npt.NDArray[np.int64], penalty: float, seed: int) -> tuple[Doubles, Doubles]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=penalty, max_iter=300, tol=1e-3, random_state=seed).fit(x, codes)
    if len(model.coef_) == 1:  # of two labels scikit-learn has the weights of the second
        return np.vstack([-model.coef_, model.coef_]) / 2, np.append(-model.intercept_, model.intercept_) / 2
    return model.coef_, model.intercept_


def log_loss(logits: Doubles, codes: npt.NDArray[np.intp]) -> float:
    """Mean negative log-likelihood of the right labels."""
    chances = softmax(logits)[np.arange(len(codes)), codes]
    return float(-np.log(chances + EPSILON).mean())


def _cooled(logits: Doubles, codes: npt.NDArray[np.intp]) -> tuple[float, float]:
    """The temperature with the least log loss, and that loss."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda heat: log_loss(logits / np.exp(heat), codes),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(found.x)), float(found.fun)
