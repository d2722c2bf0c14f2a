"""Listens: each post is counted once, copies and single authors are one voice, and every brand is watched."""

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from serving.listening.brands import Brands
from serving.listening.matching import Embed, Found, Matcher
from serving.listening.mentions import Mention, Refused, mention
from serving.listening.sentiment import SentimentClassifier, rate
from serving.listening.store import COUNTED_D, DAY_S, MentionStore
from serving.listening.typical import typical
from serving.listening.watch import SILENT, Alarm, BrandWatch

#: Posts that are taken in one transaction, by default.
BATCH = 200
#: Hours in which posts may come late and still be watched: the watch is kept as of so long ago and run again.
LATE_H = 24
#: Posts of a burst that the typical ones are chosen from, the newest; hours after the alarm that still belong to it.
OF_BURST, AFTER_H = 300, 1
#: Refused rows of several batches that are kept to be shown.
SHOWN = 5
_HOUR_S = 3600


@dataclass(frozen=True)
class Post:
    """A typical post of an alarm; `posts` are those that it stands for, copies included."""

    text: str
    url: str
    source: str
    posts: int


@dataclass(frozen=True)
class Raised:
    """An alarm of a brand with its typical posts; `at` is the time of the voice that raised it, in Unix seconds."""

    brand: str
    at: float
    alarm: Alarm
    posts: tuple[Post, ...] = ()


@dataclass
class Taken:
    """What became of a batch.

    Attributes:
        counted: posts that were counted.
        known: posts that had been counted before.
        refusals: rows that are no mentions.
        refused: place in the batch and error of those; of several batches the first `SHOWN`.
        unnamed: counted posts that mention no brand of the list.
        brands: those that a counted post mentions.
        raised: new alarms.
    """

    counted: int = 0
    known: int = 0
    unnamed: int = 0
    refusals: int = 0
    brands: set[str] = field(default_factory=set)
    refused: list[tuple[int, Refused]] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)

    def add(self, other: "Taken") -> None:
        self.counted += other.counted
        self.known += other.known
        self.unnamed += other.unnamed
        self.refusals += other.refusals
        self.refused = [*self.refused, *other.refused][:SHOWN]
        self.raised += other.raised


class Listener:
    """Takes posts about the brands of a list.

    Args:
        classifier: answers the task `sentiment` by aspect.
        embed: embeddings of length 1, for ambiguous names and typical posts.
    """

    def __init__(self, store: MentionStore, brands: Brands, classifier: SentimentClassifier, embed: Embed) -> None:
        self.store, self.brands = store, brands
        self._classifier, self._embed = classifier, embed
        self._matcher = Matcher(brands, embed)
        self._forgot = 0  # the day up to which it was done

    def take(self, rows: Sequence[object], source: str = "", position: str = "", watch: bool = True) -> Taken:
        """Count posts, in any order, as one transaction with the position that `source` was read up to.

        Args:
            watch: also look for alarms; a history is better read whole first.

        Raises `MentionsUnavailable`; then nothing of the batch was counted.
        """
        taken, mentions = Taken(), list[Mention]()
        newest = self.store.newest()
        for place, row in enumerate(rows):
            try:
                mentions.append(_recent(mention(row), newest))
            except Refused as wrong:
                taken.refusals += 1
                taken.refused.append((place, wrong))
        with self.store.writing():
            self._count(sorted(mentions, key=lambda one: one.at), taken)
            if source:
                self.store.keep_position(source, position)
        if watch and taken.counted:
            taken.raised = self.watch(taken.brands)
        return taken

    def _count(self, mentions: Sequence[Mention], taken: Taken) -> None:
        pending: list[tuple[Mention, Found, int]] = []
        asked: set[tuple[int, str]] = set()
        for one in mentions:
            if not self.store.is_new(one):
                taken.known += 1
                continue
            taken.counted += 1
            found = self._matcher.find(one.text)
            taken.unnamed += not found
            text = self.store.text(one) if found else 0
            taken.brands.update(brand.brand for brand in found)
            for brand in found:
                if (text, brand.brand) in asked or self.store.said(text, brand.brand):
                    self.store.count(one, brand.brand)
                else:
                    asked.add((text, brand.brand))
                    pending.append((one, brand, text))
        self._rate(pending)

    def _rate(self, pending: Sequence[tuple[Mention, Found, int]]) -> None:
        about = [(one.text, found.alias, one.language) for one, found, _ in pending]
        texts, aliases, languages = (list(part) for part in zip(*about, strict=True)) if about else ([], [], [])
        rated = rate(self._classifier, texts, aliases, languages)
        for (one, found, text), sentiment in zip(pending, rated, strict=True):
            voice = not self.store.spoke(one, found.brand, sentiment.label)
            self.store.count(one, found.brand, text, sentiment, voice)

    def watch(self, brands: Collection[str]) -> list[Raised]:
        """Bring the watches of brands up to the newest post. Returns new alarms, which are kept with typical posts."""
        newest, raised = self.store.newest(), list[Raised]()
        if newest is None:
            return raised
        now = int(newest // _HOUR_S)
        with self.store.writing():
            for brand in brands:
                raised += self._watch(brand, now)
            if now // 24 > self._forgot:
                self.store.forget(newest)
                self._forgot = now // 24
        return raised

    def _watch(self, brand: str, now: int) -> list[Raised]:
        watch, raised = self._state(brand, now), list[Raised]()
        if watch is None:
            return raised
        counts = self.store.negative(brand, watch.hour, now)
        kept = self.store.alarms(brand, watch.hour - LATE_H)
        while watch.hour <= now:
            if watch.hour == now - LATE_H:
                self.store.put("INSERT OR REPLACE INTO watches VALUES (?, ?)", brand, watch.to_json())
            hour = watch.hour
            quarters = counts.get(hour, (0, 0, 0, 0))
            alarm, expected = watch.close(quarters, self.brands.alarms_per_month, self.brands.zone)
            self.store.put("INSERT OR REPLACE INTO expected VALUES (?, ?, ?)", brand, hour, expected)
            if alarm is not None and (told := self._keep(brand, alarm, kept, now)):
                raised.append(told)
        return raised

    def _state(self, brand: str, now: int) -> BrandWatch | None:
        """The watch as it was left; a new one at a brand's first post, and after a long silence."""
        first = "SELECT min(quarter) / 4 FROM quarters WHERE brand = ? AND quarter >= ?"
        kept = self.store.rows("SELECT state FROM watches WHERE brand = ?", brand)
        if kept:
            watch = BrandWatch.from_json(kept[0][0])
            (next_hour,) = self.store.rows(first, brand, watch.hour * 4)[0]
            if next_hour is None or next_hour - watch.hour < SILENT:
                return watch if now - watch.hour < 2 * SILENT or next_hour is not None else None
            return BrandWatch(next_hour)
        (hour,) = self.store.rows(first, brand, 0)[0]
        return None if hour is None else BrandWatch(hour)

    def _keep(self, brand: str, alarm: Alarm, kept: Sequence[tuple[int, str]], now: int) -> Raised | None:
        """Keep an alarm; None if it was told before. Posts that came meanwhile may have changed its typical ones."""
        same = next((hour for hour, _ in kept if abs(hour - alarm.hour) < LATE_H), None)
        if same is not None and now > alarm.hour + AFTER_H + 1:
            return None
        raised = self._raised(brand, alarm)
        if same is not None:
            self.store.put("DELETE FROM alarms WHERE brand = ? AND hour = ?", brand, same)
        record = orjson.dumps(asdict(raised)).decode()
        self.store.put("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?)", brand, alarm.hour, record)
        return None if same is not None else raised

    def _raised(self, brand: str, alarm: Alarm) -> Raised:
        of_hour = self.store.rows(
            "SELECT at FROM voices WHERE brand = ? AND at >= ? AND at < ? AND label = 'negative' AND counted = 1"
            " ORDER BY at LIMIT 1 OFFSET ?",
            *(brand, alarm.hour * _HOUR_S, (alarm.hour + 1) * _HOUR_S, alarm.voice - 1),
        )
        at = float(of_hour[0][0]) if of_hour else float(alarm.hour * _HOUR_S)
        until = (alarm.hour + AFTER_H) * _HOUR_S + _HOUR_S
        found = self.store.rows(
            "SELECT t.text, t.url, t.source, t.copies FROM voices v JOIN texts t ON t.id = v.text WHERE v.brand = ?"
            " AND v.at >= ? AND v.at < ? AND v.label = 'negative' ORDER BY v.at DESC LIMIT ?",
            *(brand, alarm.onset * _HOUR_S, until, OF_BURST),
        )
        chosen = typical(self._embed([text for text, *_ in found]), [copies for *_, copies in found]) if found else []
        posts = ((found[place], weight) for place, weight in chosen)
        return Raised(
            brand, at, alarm, tuple(Post(str(t), str(url), str(of), round(w)) for (t, url, of, _), w in posts)
        )


def _recent(one: Mention, newest: float | None) -> Mention:
    """Raises `Refused` for a post that is too old to know whether it was counted."""
    if newest is not None and one.at < newest - COUNTED_D * DAY_S:
        when = time.strftime("%Y-%m-%d", time.gmtime(one.at))
        raise Refused("occurred_at", f"a time within {COUNTED_D} days of the newest post", when)
    return one


def told(raised: Raised) -> dict[str, Any]:
    """An alarm as JSON."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(raised)))
    return found
