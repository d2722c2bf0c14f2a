"""Buy-till-you-die estimates: how often a customer will buy (BG/NBD) and for how much (Gamma-Gamma).

Fader, Hardie & Lee (2005), '"Counting your customers" the easy way', Marketing Science 24(2); Batislam, Denizel &
Filiztekin (2007), 'Empirical validation and comparison of models for customer base analysis', International Journal of
Research in Marketing 24(3), for the modified BG/NBD; and Fader & Hardie (2013), 'The Gamma-Gamma model of monetary
value'. Parameters are found by maximum likelihood. Arguments are arrays of one length: `x` repeat purchase days, `t_x`
days from the first purchase to the last, `age` days from the first purchase to now, `horizon` days to look ahead.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, expit, gammaln, hyp2f1

Array = npt.NDArray[np.float64]
#: Bounds on the logarithm of each parameter: data that say little (nobody repeats) leave it there, not at infinity.
BOUNDS = (-7.0, 7.0)


@dataclass(frozen=True)
class BgNbd:
    """While alive, purchases are Poisson with a Gamma(r, alpha) rate; after each, a Beta(a, b) chance of leaving.

    As published first, nobody leaves before the second purchase; `modified`, the first too may have been the last.
    """

    r: float
    alpha: float
    a: float
    b: float
    modified: bool = False

    @classmethod
    def fit(cls, x: Array, t_x: Array, age: Array, modified: bool = False) -> Self:
        """The parameters under which these histories are likeliest."""
        return cls._search(x, t_x, age, modified)[1]

    @classmethod
    def likelier(cls, x: Array, t_x: Array, age: Array) -> Self:
        """The same, modified or not: as many parameters either way, so the histories may choose."""
        return min((cls._search(x, t_x, age, modified) for modified in (False, True)), key=lambda found: found[0])[1]

    @classmethod
    def _search(cls, x: Array, t_x: Array, age: Array, modified: bool) -> tuple[float, Self]:
        """The negative log likelihood of a customer's history, and the parameters it is least by."""
        from scipy.optimize import minimize  # here and below, as what only predicts does not need it

        # In tenths of the longest history all four parameters are of order one, where the search is well conditioned.
        unit = max(float(age.max()), 1.0) / 10
        histories, counts = np.unique(np.column_stack([x, t_x, age]), axis=0, return_counts=True)
        n, last, now = histories[:, 0], histories[:, 1] / unit, histories[:, 2] / unit
        stays = n + modified  # how often a customer might have left and, so far as is known, did not

        def loss(logs: Array) -> float:
            r, alpha, a, b = np.exp(logs)
            common = gammaln(r + n) - gammaln(r) + r * np.log(alpha) + betaln(a, b + stays) - betaln(a, b)
            alive = -(r + n) * np.log(alpha + now)
            left = np.log(a) - np.log(b + np.maximum(stays, 1) - 1) - (r + n) * np.log(alpha + last)
            likelihood = common + np.where(stays > 0, np.logaddexp(alive, left), alive)
            return -float(np.average(likelihood, weights=counts))

        best = minimize(loss, np.full(4, -0.5), method="L-BFGS-B", bounds=[BOUNDS] * 4)
        r, alpha, a, b = (float(value) for value in np.exp(best.x))
        return float(best.fun), cls(r, alpha * unit, a, b, modified)

    def alive(self, x: Array, t_x: Array, age: Array) -> Array:
        """The probability of not having left: 1 where x is 0, unless `modified`."""
        stays = x + self.modified
        odds = np.log(self.a / (self.b + np.maximum(stays, 1) - 1))
        odds = odds + (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        return np.where(stays > 0, expit(-odds), 1.0)

    def buys(self, x: Array, t_x: Array, age: Array, horizon: Array) -> Array:
        """The probability of any purchase within the horizon: alive, and the Gamma-mixed Poisson process not silent."""
        silent = (self.r + x) * np.log((self.alpha + age) / (self.alpha + age + horizon))
        return np.asarray(self.alive(x, t_x, age) * -np.expm1(silent))

    def purchases(self, x: Array, t_x: Array, age: Array, horizon: Array) -> Array:
        """The expected number of purchase days within the horizon (equation 10 of the 2005 paper)."""
        z, stays = horizon / (self.alpha + age + horizon), x + self.modified
        series = hyp2f1(self.r + x, self.b + stays, self.a + self.b + stays - 1, z) * (1 - z) ** (self.r + x)
        most = (self.a + self.b + stays - 1) / (self.a - 1)
        return np.asarray(most * (1 - series) * self.alive(x, t_x, age))


@dataclass(frozen=True)
class GammaGamma:
    """Values of one customer are Gamma(p, nu), nu itself Gamma(q, gamma) over customers."""

    p: float
    q: float
    gamma: float

    @classmethod
    def fit(cls, n: Array, mean: Array) -> Self:
        """`n` purchases of `mean` value each; customers without any are left out."""
        from scipy.optimize import minimize

        some = (n > 0) & (mean > 0)
        if not some.any():
            raise ValueError("Gamma-Gamma: expected at least one customer with a purchase of positive value")
        n, mean = n[some], mean[some]
        unit = float(mean.mean())
        mean = mean / unit

        def loss(logs: Array) -> float:
            p, q, gamma = np.exp(logs)
            likelihood = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma)
            likelihood = likelihood + (p * n - 1) * np.log(mean) + p * n * np.log(n)
            return -float(np.mean(likelihood - (p * n + q) * np.log(gamma + n * mean)))

        # q above 1: at or below it the model's mean value is infinite.
        best = minimize(loss, np.ones(3), method="L-BFGS-B", bounds=[BOUNDS, (0.05, BOUNDS[1]), BOUNDS])
        p, q, gamma = (float(value) for value in np.exp(best.x))
        return cls(p, q, gamma * unit)

    def mean_value(self, n: Array, mean: Array) -> Array:
        """The expected value of a purchase: the customer's own mean, drawn to everybody's where it bought little."""
        return self.p * (self.gamma + n * mean) / (self.p * n + self.q - 1)
