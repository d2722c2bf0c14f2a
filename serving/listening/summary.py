"""What was heard of the brands: totals, share of voice, sentiment with its trend, a series, alarms and phrases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson

from serving.listening.brands import Brands
from serving.listening.phrases import Phrase, emerging
from serving.listening.store import DAY_S, MentionStore
from serving.listening.watch import LEARNT, BrandWatch

#: Days that are told by default, and most of them.
DAYS, MOST_DAYS = 30, 400
#: Days of a trend, and of what it is compared with.
RECENT_D, BEFORE_D = 7, 28
#: Most texts of either side that phrases are counted in, the newest.
TEXTS = 5_000
SURE = 1.96

Direction = Literal["better", "worse", "steady", "unknown"]


@dataclass(frozen=True)
class Day:
    """A day of a brand, from midnight in the brand list's zone (Unix seconds).

    Attributes:
        mentions: posts, copies included.
        voices: distinct posts of distinct authors; the labels and the sentiment are of them.
        sentiment: mean score from -1 to 1 of rated voices; None without any.
        expected_negative: negative voices that were forecast, of the hours that were watched.
    """

    at: int
    mentions: int
    voices: int
    negative: int
    neutral: int
    positive: int
    unrated: int
    sentiment: float | None
    expected_negative: float


@dataclass(frozen=True)
class Trend:
    """Mean sentiment of the last `RECENT_D` days less that of the `BEFORE_D` days before, with its 95% interval."""

    direction: Direction
    change: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Summary:
    """One brand over some days.

    Attributes:
        share_of_voice: of the voices about all brands of the list; None without any.
        learning_h: hours until the first alarm is possible; 0 once the brand is watched.
        alarms: the newest last; `serving.listening.listener.Raised` as JSON.
    """

    brand: str
    competitor: bool
    mentions: int
    voices: int
    share_of_voice: float | None
    negative: int
    neutral: int
    positive: int
    unrated: int
    sentiment: float | None
    trend: Trend
    learning_h: int
    series: tuple[Day, ...]
    alarms: tuple[Mapping[str, Any], ...]
    phrases: tuple[Phrase, ...]


def summarize(
    store: MentionStore, brands: Brands, names: Sequence[str] | None = None, days: int = DAYS
) -> list[Summary]:
    """Summaries of brands, of all by default, over the days up to the newest post. Raises `MentionsUnavailable`."""
    newest = store.newest()
    until = _midnight(newest or 0.0, brands.zone) + DAY_S
    since = until - days * DAY_S
    voices = dict(store.rows("SELECT brand, sum(voices) FROM quarters WHERE quarter >= ? GROUP BY brand", since // 900))
    total = sum(voices.get(name, 0) for name in brands.names)
    chosen = brands.names if names is None else names
    return [
        _summary(store, brands, name, since, until, voices.get(name, 0) / total if total else None) for name in chosen
    ]


def _summary(
    store: MentionStore, brands: Brands, name: str, since: float, until: float, share: float | None
) -> Summary:
    series = _series(store, name, since, until)
    added = {part: sum(getattr(day, part) for day in series) for part in _PARTS}
    rated = [(day.sentiment, day.voices - day.unrated) for day in series if day.sentiment is not None]
    known = sum(count for _, count in rated)
    alarms = tuple(orjson.loads(alarm) for _, alarm in store.alarms(name, int(since // 3600)))
    return Summary(
        brand=name,
        competitor=name in {one.name for one in brands.competitors},
        share_of_voice=share,
        sentiment=sum(mean * count for mean, count in rated) / known if known else None,
        trend=_trend(store, name, until),
        learning_h=_learning(store, name),
        series=series,
        alarms=alarms,
        phrases=tuple(emerging(*_texts(store, name, until))),
        **added,
    )


_PARTS = ("mentions", "voices", "negative", "neutral", "positive", "unrated")


def _series(store: MentionStore, name: str, since: float, until: float) -> tuple[Day, ...]:
    """A day for each day since the brand was first heard of."""
    offset = int(since % DAY_S)
    summed = ", ".join(f"sum({part})" for part in (*_PARTS, "score"))
    found = store.rows(
        f"SELECT (quarter * 900 - ?) / 86400 AS day, {summed} FROM quarters WHERE brand = ? AND quarter * 900 >= ?"  # noqa: S608
        " GROUP BY day ORDER BY day",
        *(offset, name, since),
    )
    expected = dict(
        store.rows(
            "SELECT (hour * 3600 - ?) / 86400 AS day, sum(negative) FROM expected WHERE brand = ? AND hour * 3600 >= ?"
            " GROUP BY day",
            *(offset, name, since),
        )
    )
    heard = {int(day): values for day, *values in found}
    days = range(min(heard), int((until - offset) // DAY_S)) if heard else range(0)
    nothing = [0] * len(_PARTS) + [0.0]
    return tuple(_day(day, offset, heard.get(day, nothing), float(expected.get(day, 0.0))) for day in days)


def _day(day: int, offset: int, values: Sequence[float], expected: float) -> Day:
    *counts, score = values
    parts = dict(zip(_PARTS, map(int, counts), strict=True))
    rated = parts["voices"] - parts["unrated"]
    sentiment = score / rated if rated else None
    return Day(at=int(day * DAY_S) + offset, sentiment=sentiment, expected_negative=expected, **parts)


def _trend(store: MentionStore, name: str, until: float) -> Trend:
    """Welch's interval of the difference of two means."""
    middle = until - RECENT_D * DAY_S
    now, before = (
        _mean(store, name, start, end) for start, end in ((middle, until), (middle - BEFORE_D * DAY_S, middle))
    )
    if now is None or before is None:
        return Trend("unknown")
    change = now[0] - before[0]
    half = SURE * sqrt(now[1] + before[1])
    low, high = change - half, change + half
    direction: Direction = "better" if low > 0 else "worse" if high < 0 else "steady"
    return Trend(direction, change, low, high)


def _mean(store: MentionStore, name: str, start: float, end: float) -> tuple[float, float] | None:
    """Mean score of counted voices, and its variance; None of fewer than two."""
    ((count, total, squares),) = store.rows(
        "SELECT count(*), sum(score), sum(score * score) FROM voices WHERE brand = ? AND at >= ? AND at < ?"
        " AND counted = 1 AND label != 'unrated'",
        *(name, start, end),
    )
    if count < 2:
        return None
    mean = total / count
    return mean, max(squares / count - mean**2, 0.0) / (count - 1)


def _learning(store: MentionStore, name: str) -> int:
    found = store.rows("SELECT state FROM watches WHERE brand = ?", name)
    return BrandWatch.from_json(found[0][0]).learning_h if found else LEARNT


def _texts(store: MentionStore, name: str, until: float) -> tuple[list[str], list[str]]:
    """Texts of voices of the last days and of those before."""
    middle = until - RECENT_D * DAY_S
    query = (
        "SELECT t.text FROM voices v JOIN texts t ON t.id = v.text WHERE v.brand = ? AND v.at >= ? AND v.at < ?"
        " ORDER BY v.at DESC LIMIT ?"
    )
    sides = (middle, until), (middle - BEFORE_D * DAY_S, middle)
    now, before = ([str(text) for (text,) in store.rows(query, name, *side, TEXTS)] for side in sides)
    return now, before


def _midnight(at: float, zone: str | None) -> float:
    """The last midnight by the zone's clock."""
    moment = datetime.fromtimestamp(at, ZoneInfo(zone or "UTC"))
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
