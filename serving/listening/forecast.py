"""Forecasts of hourly counts: a rhythm of the week times a level, each as uncertain as it has proved to be.

The level is a discounted gamma posterior (the power steady model of Smith, 1979) and each hour departs from it, so that
a count is negative binomial. How fast the level moves and how far hours depart is learnt: the forecast is a mixture of
one component for each pair of `HALF_LIVES` and `SHAPES`, weighed by how well each has forecast so far.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Hours after which half of a level is forgotten.
HALF_LIVES = np.array([3.0, 12.0, 48.0, 336.0])
#: Shapes of an hour's own departure from the level: few are far, many are near.
SHAPES = np.array([2.0, 5.0, 15.0, 60.0])
#: Hours after which half of the rhythm, of the usual level and of the weights is forgotten.
MEMORY = 28 * 24.0
#: Hours of usual counts that the rhythm of a weekday, of an hour of the day and of a cell of the week begins with.
WEEKDAY, HOUR, CELL = 60.0, 10.0, 8.0
#: Counts that the usual level is worth as the prior of today's.
USUAL = 10.0
#: A count is learnt as at most so many standard deviations above its forecast, so that a burst is not taken for usual.
FAR = 4.0
WEEK = 7 * 24


@dataclass(frozen=True)
class Forecast:
    """A mixture of negative binomial distributions: means, shapes and weights of its components, of one shape."""

    means: Floats
    shapes: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        return float((self.weights * self.means).sum())

    @property
    def deviation(self) -> float:
        """A standard deviation, without that between the components' means."""
        return float((self.weights * (self.means + self.means**2 / self.shapes)).sum() ** 0.5)

    def probabilities(self, counts: Floats, shares: Floats, ratios: Floats) -> Floats:
        """Probability of each count within a share of the hour, if the rate is `ratio` times the forecast.

        Returns (counts, ratios); `counts` and `shares` are of one length.
        """
        means = self.means * shares[:, None, None, None] * ratios[:, None, None]
        logs = log_probability(counts[:, None, None, None], means, self.shapes)
        found: Floats = np.einsum("crhs,hs->cr", np.exp(logs), self.weights)
        return found


def log_probability(counts: Floats, means: Floats, shapes: Floats) -> Floats:
    """Logarithm of the negative binomial probability."""
    from scipy.special import gammaln

    total = np.log(shapes + means)
    choose = gammaln(counts + shapes) - gammaln(shapes) - gammaln(counts + 1)
    found: Floats = choose + shapes * (np.log(shapes) - total) + counts * (np.log(means) - total)
    return found


@dataclass
class Forecaster:
    """Learns one hourly series. All sums are discounted.

    Attributes:
        hours: how many were learnt.
        counted, exposed: by cell of the week, counts and the level they were seen at.
        total, usual_exposure: counts and the rhythm's sum, of the usual level.
        recent, recent_exposure: the same by half-life.
        log_weights: of the components.
    """

    hours: int = 0
    counted: Floats = field(default_factory=lambda: np.zeros(WEEK))
    exposed: Floats = field(default_factory=lambda: np.zeros(WEEK))
    total: float = 0.0
    usual_exposure: float = 0.0
    recent: Floats = field(default_factory=lambda: np.zeros(len(HALF_LIVES)))
    recent_exposure: Floats = field(default_factory=lambda: np.zeros(len(HALF_LIVES)))
    log_weights: Floats = field(default_factory=lambda: np.zeros((len(HALF_LIVES), len(SHAPES))))
    rhythm: Floats = field(default_factory=lambda: np.ones(WEEK))

    def forecast(self, cell: int) -> Forecast:
        """The forecast of the next hour, which is in this cell of the week: 24 times the weekday plus the hour."""
        prior = min(USUAL, 0.5 + self.total)
        shape = prior + self.recent
        level = shape / (prior / self._usual + self.recent_exposure)
        means = np.maximum(self.rhythm[cell] * level, 1e-6)[:, None]
        spread = 1 / shape[:, None] + 1 / SHAPES + 1 / (shape[:, None] * SHAPES)
        weights = np.exp(self.log_weights - self.log_weights.max())
        return Forecast(means, 1 / spread, weights / weights.sum())

    def learn(self, cell: int, count: int, forecast: Forecast) -> None:
        """Learn the count of the hour that was forecast."""
        seen = min(float(count), forecast.mean + FAR * forecast.deviation + 1)
        forget = 0.5 ** (1 / MEMORY)
        fit = log_probability(np.array(seen), forecast.means, forecast.shapes)
        self.log_weights = self.log_weights * forget + fit
        self.log_weights -= self.log_weights.max()
        level = (self.recent[2] + 5) / (self.recent_exposure[2] + 5 / self._usual) if self.hours > 24 else self._usual
        self.counted[cell] += seen
        self.exposed[cell] += level
        self.total = self.total * forget + seen
        self.usual_exposure = self.usual_exposure * forget + self.rhythm[cell]
        self.recent = self.recent * 0.5 ** (1 / HALF_LIVES) + seen
        self.recent_exposure = self.recent_exposure * 0.5 ** (1 / HALF_LIVES) + self.rhythm[cell]
        self.hours += 1
        if self.hours % 24 == 0:
            self._learn_rhythm(forget**24)

    @property
    def _usual(self) -> float:
        return (self.total + 0.5) / (self.usual_exposure + 0.5)

    def _learn_rhythm(self, forget: float) -> None:
        """A cell of the week is its weekday times its hour of the day, and its own the more has been seen of it."""
        self.counted, self.exposed = self.counted * forget, self.exposed * forget
        counted, exposed = self.counted.reshape(7, 24), self.exposed.reshape(7, 24)
        weekday = (counted.sum(1) + WEEKDAY) / (exposed.sum(1) + WEEKDAY)
        hour = (counted.sum(0) + HOUR) / (exposed.sum(0) + HOUR)
        both = np.outer(weekday, hour) / ((counted.sum() + HOUR) / (exposed.sum() + HOUR))
        rhythm = ((counted + CELL * both) / (exposed + CELL)).ravel()
        self.rhythm = rhythm / rhythm.mean()
