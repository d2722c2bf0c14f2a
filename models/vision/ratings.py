"""A linear head from features to ratings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Penalties that are tried, of standardized features.
PENALTIES = (1e0, 1e1, 1e2, 1e3, 1e4)
EPSILON = 1e-9
#: Fewest ratings that anything is learnt from.
FEWEST = 10


@dataclass(frozen=True)
class RidgeRecipe:
    """What is chosen on held-out pictures: the penalty, the features that are read, and what the tuned layers weigh."""

    penalty: float
    view: slice
    share: float = 0.0


@dataclass(frozen=True)
class RidgeHead:
    """Weights on raw features, and the range of the ratings that were learnt from: answers stay within."""

    weight: Array
    bias: float
    low: float
    high: float

    @classmethod
    def chosen(
        cls, learnt: tuple[Array, Doubles], held: tuple[Array, Doubles], views: Sequence[slice]
    ) -> tuple[Self, RidgeRecipe]:
        """Fit on `learnt`; the penalty and the view are those with the least squared error on `held`."""
        judged = held if len(held[1]) else learnt
        recipes = [RidgeRecipe(penalty, view) for view in views for penalty in PENALTIES]
        fitted = [cls.fit(*learnt, recipe) for recipe in recipes]
        errors = [float(np.square(one.rate(judged[0]) - judged[1]).mean()) for one in fitted]
        best = int(np.argmin(errors))
        return fitted[best], recipes[best]

    @classmethod
    def fit(cls, x: Array, ratings: Doubles, recipe: RidgeRecipe) -> Self:
        """Fit by a recipe."""
        from sklearn.linear_model import Ridge

        read = x[:, recipe.view]
        center, scale = read.mean(axis=0), read.std(axis=0)
        scale = np.where(scale > EPSILON, scale, np.inf)
        model = Ridge(alpha=recipe.penalty).fit((read - center) / scale, ratings)
        weight = np.zeros(x.shape[1], np.float32)
        weight[recipe.view] = model.coef_ / scale
        bias = float(model.intercept_ - (model.coef_ / scale) @ center)
        return cls(weight, bias, float(ratings.min()), float(ratings.max()))

    def share(self, other: tuple[Array, float], x: Array, ratings: Doubles) -> float:
        """What a second head on the features after this one's weighs, from 0 to 1: by the least squared error on
        pictures that neither was fitted on. A half where there are none."""
        own = len(self.weight)
        ours = x[:, :own] @ self.weight + self.bias
        apart = x[:, own:] @ other[0] + other[1] - ours
        if not len(ratings) or not np.square(apart).sum():
            return 0.5
        return float(np.clip(apart @ (ratings - ours) / np.square(apart).sum(), 0, 1))

    def joined(self, other: tuple[Array, float], share: float) -> Self:
        """With the answers of `other` mixed in."""
        weight = np.concatenate([self.weight * (1 - share), other[0] * share]).astype(np.float32)
        return type(self)(weight, self.bias * (1 - share) + other[1] * share, self.low, self.high)

    def rate(self, x: Array) -> Doubles:
        """(pictures,)."""
        return np.clip((x @ self.weight + self.bias).astype(np.float64), self.low, self.high)
