"""Alarms on hourly counts of negative voices, at a stated rate of false alarms.

The statistic of Shiryaev and Roberts sums, over all hours in which a rise may have begun, the likelihood ratio of "the
rate is a multiple of the forecast since then". While the forecasts hold it grows by one an hour on average, so it
reaches `A` at most once in `A` hours (Pollak, 1985; with forecasts that are learnt: Shin, Ramdas and Rinaldo,
"E-detectors", 2023). The threshold follows from the stated rate by this bound. Half of the rate is left for errors of
the forecasts.

An hour is looked at in quarters: a voice is judged as if its quarter were over. So an alarm comes with the voice that
makes it, and looking at each voice costs no more false alarms than looking once a quarter.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from features.clock import hour_and_weekday
from serving.listening.forecast import WEEK, Floats, Forecast, Forecaster

#: How many times the forecast a rise may be; lasting shifts are small, bursts are large.
RATIOS = np.array([1.5, 2.0, 4.0, 8.0])
BURST = 4.0
#: Hours that are learnt from before the first alarm, and after which a rise that lasts is told again.
LEARNT, AGAIN = 14 * 24, 24
#: Hours of a month, and the part of the stated rate that the threshold takes.
MONTH, TAKEN = 365.25 / 12 * 24, 0.5
#: A series without any count for so long is learnt anew.
SILENT = 8 * WEEK
QUARTERS = 4
_SHARES = np.arange(1, QUARTERS + 1) / QUARTERS
_RATIOS = np.append(1.0, RATIOS)

Kind = Literal["burst", "shift"]


@dataclass(frozen=True)
class Alarm:
    """A rise of negative voices.

    Attributes:
        hour: the hour of the alarm, since 1970.
        voice: which voice of that hour, in order of time, raised it; from 1.
        onset: the hour in which the rise is likely to have begun.
        expected: negative voices that were expected in the hour of the alarm.
        evidence: the statistic over its threshold, 1 or more.
    """

    kind: Kind
    hour: int
    voice: int
    onset: int
    expected: float
    evidence: float


@dataclass
class BrandWatch:
    """The state of one series after all hours before `hour`.

    Attributes:
        statistics: of Shiryaev and Roberts, by ratio.
        rises, onsets: the likelihood ratio since a rise most likely began, and the hour in which it did (Page, 1954).
        resting_until: the hour from which the next alarm may come.
    """

    hour: int
    forecaster: Forecaster = field(default_factory=Forecaster)
    statistics: Floats = field(default_factory=lambda: np.zeros(len(RATIOS)))
    rises: Floats = field(default_factory=lambda: np.zeros(len(RATIOS)))
    onsets: Floats = field(default_factory=lambda: np.zeros(len(RATIOS)))
    resting_until: int = 0

    def to_json(self) -> str:
        values = {**vars(self), "forecaster": vars(self.forecaster)}
        return json.dumps(values, default=lambda array: array.tolist())

    @classmethod
    def from_json(cls, text: str) -> "BrandWatch":
        values: dict[str, Any] = _arrays(json.loads(text))
        forecaster = Forecaster(**values.pop("forecaster"))
        return cls(forecaster=forecaster, **values)

    @property
    def learning_h(self) -> int:
        """Hours that are still missing before the first alarm is possible."""
        return max(LEARNT - self.forecaster.hours, 0)

    def close(self, quarters: Sequence[int], per_month: float, zone: str | None) -> tuple[Alarm | None, float]:
        """Take the counts of the quarters of `hour`, learn from them and go to the next one.

        The last hour of a copy may be unfinished: its missing quarters count 0, which raises no alarm.
        Returns an alarm and the count that was expected.
        """
        (of_day,), (weekday,) = hour_and_weekday(np.array([self.hour * 3600.0]), [zone])
        cell = int(24 * weekday + of_day)
        forecast = self.forecaster.forecast(cell)
        alarm = self._judge(quarters, forecast, per_month) if self._is_awake else None
        self.forecaster.learn(cell, sum(quarters), forecast)
        self.hour += 1
        return alarm, forecast.mean

    @property
    def _is_awake(self) -> bool:
        return self.forecaster.hours >= LEARNT and self.hour >= self.resting_until

    def _judge(self, quarters: Sequence[int], forecast: Forecast, per_month: float) -> Alarm | None:
        self.onsets = np.where(self.rises > 1, self.onsets, self.hour)
        ratios = self._ratios(np.cumsum(quarters, dtype=float), _SHARES, forecast)
        statistics = (1 + self.statistics) * ratios
        self.rises = np.maximum(self.rises, 1) * ratios[-1]
        if (statistics.mean(axis=1) < threshold(per_month)).all():  # within a quarter it only grows
            self.statistics = statistics[-1]
            return None
        counts = np.arange(1, sum(quarters) + 1, dtype=float)
        statistics = (1 + self.statistics) * self._ratios(counts, np.repeat(_SHARES, quarters), forecast)
        evidence = statistics.mean(axis=1) / threshold(per_month)
        first = int((evidence >= 1).argmax())
        likeliest = int(statistics[first].argmax())
        kind: Kind = "burst" if RATIOS[likeliest] >= BURST else "shift"
        onset = int(self.onsets[likeliest])
        self.statistics, self.rises, self.resting_until = (
            np.zeros(len(RATIOS)),
            np.zeros(len(RATIOS)),
            self.hour + AGAIN,
        )
        return Alarm(kind, self.hour, first + 1, onset, forecast.mean, float(evidence[first]))

    def _ratios(self, counts: Floats, shares: Floats, forecast: Forecast) -> Floats:
        """The likelihood ratios of each count within a share of the hour, (counts, ratios)."""
        found = forecast.probabilities(counts, shares, _RATIOS)
        ratios: Floats = found[:, 1:] / np.maximum(found[:, :1], 1e-300)
        return ratios


def threshold(per_month: float) -> float:
    """The statistic's value that is reached at most `TAKEN` of `per_month` times a month."""
    return MONTH / (per_month * TAKEN)


def quarter(seconds: float) -> tuple[int, int]:
    """The hour since 1970 and its quarter, 0 to 3, of a Unix time."""
    of_all = int(seconds // 900)
    return of_all // QUARTERS, of_all % QUARTERS


def _arrays(values: Any) -> Any:
    if isinstance(values, list):
        return np.array(values, dtype=float)
    return {name: _arrays(value) for name, value in values.items()} if isinstance(values, dict) else values
