"""Weighs the members' corrections on later examples (stacking: Wolpert, 1992; non-negative weights: Breiman, 1996)."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from models.creative.outputs import Array, Output

#: Prior of the weights: the mean of all, by as much as so many events tell.
PULL = 30.0


@dataclass(frozen=True)
class MemberWeights:
    """One weight a member, none negative.

    `shift` is added: of prices, for what was paid where nobody clicked. The level of the later examples is not: it is
    that of one window, and the next will be off its own way.
    """

    weights: tuple[float, ...]
    shift: float = 0.0

    def linked(self, start: Array, corrections: Array) -> Array:
        """Where the output starts, corrected."""
        return np.asarray(start + corrections @ np.asarray(self.weights) + self.shift)

    @classmethod
    def fit(cls, output: Output, start: Array, corrections: Array, events: Array, trials: Array) -> Self:
        """Maximum likelihood of `events` in `trials`, binomial for rates and gamma for prices, with a weak prior."""
        from scipy.optimize import minimize

        count = corrections.shape[1]
        center = np.full(count, 1 / count)

        def loss(values: Array) -> tuple[float, Array]:
            linked = start + corrections @ values
            if output.rate:
                total = trials @ np.logaddexp(0, linked) - events @ linked
                slope = trials / (1 + np.exp(-linked)) - events
            else:
                ratio = events * np.exp(-linked)
                total, slope = trials @ linked + ratio.sum(), trials - ratio
            away = values - center
            return float(total + PULL * away @ away / 2), corrections.T @ slope + PULL * away

        found = minimize(loss, center, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * count).x
        return cls(tuple(found.tolist()))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"weights": list(self.weights), "shift": self.shift}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The stack that `to_dict` described."""
        return cls(tuple(saved["weights"]), saved["shift"])
