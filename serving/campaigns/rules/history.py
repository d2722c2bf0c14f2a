"""What objects of an account did by day, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from features.ad_days import COUNTS
from serving.campaigns.rules.metrics import RATES, Array, RateMetric, SeenRate, noise, value_spread
from serving.campaigns.rules.words import DAY

if TYPE_CHECKING:
    import pandas as pd

#: Days by which the noise of an object is judged.
NOISE_DAYS = 28
COLUMNS = {"campaign": "campaign_id", "ad_group": "ad_group_id", "ad": "ad_id", "keyword": "keyword_id"}


@dataclass(frozen=True)
class AdHistory:
    """Counts of places (objects, or channels, audiences and hours of one) by day.

    Attributes:
        first: the first day; `counts` are arrays of (places, days).
    """

    places: tuple[str, ...]
    first: date
    counts: Mapping[str, Array]

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        return {name: row for row, name in enumerate(self.places)}

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.first + next(iter(self.counts.values())).shape[1] * DAY

    def before(self, day: date) -> "AdHistory":
        """The days before, of the places that were there."""
        counts = {name: array[:, : max(0, (day - self.first).days)] for name, array in self.counts.items()}
        there = (counts["impressions"].sum(1) + counts["spend"].sum(1)) > 0
        places = tuple(place for place, known in zip(self.places, there.tolist(), strict=True) if known)
        return AdHistory(places, self.first, {name: array[there] for name, array in counts.items()})

    def sum(self, place: str, count: str, start: date, end: date) -> float:
        """A count of the days from `start` until before `end`."""
        return float(self.daily(place, count, start, end).sum())

    def daily(self, place: str, count: str, start: date, end: date) -> Array:
        """A count by day; days before the first are left out."""
        row = self._rows.get(place)
        if row is None:
            return np.zeros(0)
        begin, stop = max(0, (start - self.first).days), max(0, (end - self.first).days)
        return self.counts[count][row, begin:stop]

    def began(self, place: str) -> date | None:
        """The first day with impressions."""
        row = self._rows.get(place)
        shown = [] if row is None else np.flatnonzero(self.counts["impressions"][row]).tolist()
        return self.first + shown[0] * DAY if shown else None

    def seen(self, place: str, metric: str, start: date, end: date) -> SeenRate:
        """What was seen of a rate, with the noise of the last weeks."""
        rate = RATES[metric]
        k, size = self.sum(place, rate.events, start, end), self.sum(place, rate.of, start, end)
        spread = self._noise(place, rate, end)
        if not rate.valued:
            return SeenRate(rate, k, size, spread)
        past = min(start, end - NOISE_DAYS * DAY)
        values = value_spread(self.daily(place, "conversions", past, end), self.daily(place, "value", past, end))
        worth = self._worth(place, start, end) or self._worth(place, self.first, end)
        return SeenRate(rate, k, size, spread * (1 + values), worth)

    def _worth(self, place: str, start: date, end: date) -> float:
        """Mean value of a conversion; 0 where there was none."""
        k = self.sum(place, "conversions", start, end)
        return self.sum(place, "value", start, end) / k if k > 0 else 0.0

    def _noise(self, place: str, rate: RateMetric, end: date) -> float:
        days = end - NOISE_DAYS * DAY, end
        return noise(self.daily(place, rate.events, *days), self.daily(place, rate.of, *days))


def history(frame: "pd.DataFrame", column: str) -> AdHistory:
    """The history of the places in a column of `features.ad_days.read`; of all rows together for an empty name."""
    import pandas as pd

    if frame.empty:
        return AdHistory((), date(2000, 1, 1), {name: np.zeros((0, 0)) for name in COUNTS})
    days = pd.to_datetime(frame["day"]).dt.date
    first, last = days.min(), days.max()
    keys = frame[column] if column else pd.Series("account", frame.index)
    known = keys.notna()
    names, rows = np.unique(keys[known].astype(str).to_numpy(), return_inverse=True)
    place = (pd.to_datetime(days[known]) - pd.Timestamp(first)).dt.days.to_numpy()
    counts = {name: np.zeros((len(names), (last - first).days + 1)) for name in COUNTS}
    for name, array in counts.items():
        np.add.at(array, (rows, place), frame.loc[known, name].to_numpy(dtype=float))
    return AdHistory(tuple(names.tolist()), first, counts)
