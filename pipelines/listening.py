"""`adloop listen`: reads a source of posts into the home's store, and shows what was heard."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.settings import Settings
from serving.listening import feed, files, topic
from serving.listening.api import brands_file, store
from serving.listening.brands import load
from serving.listening.files import Batch
from serving.listening.listener import BATCH, Listener, Raised, Taken
from serving.listening.summary import Summary, summarize

if TYPE_CHECKING:
    from rich.console import Console

#: Seconds between looks at a feed that is followed.
POLL_S = 120.0
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Heard:
    """What became of the posts of this time, the brands' summaries, and the page with the plot."""

    taken: Taken
    summaries: tuple[Summary, ...]
    page: Path


def listen(source: str | None, given: Path | None, days: int, follow: bool, settings: Settings) -> Heard:
    """Read the source, if there is one, and write the page.

    Raises `BadBrands`, `FileNotFoundError`, `FeedUnavailable`, `TopicUnavailable`, `MentionsUnavailable`, and
    `NoClassifier` where none is released or none that learnt sentiment.
    """
    from pipelines.console import progress
    from pipelines.report.listening import write

    brands, heard = load(given or brands_file(settings)), store(settings)
    taken = Taken()
    if source is not None:
        with progress() as tell:
            _read(_listener(heard, brands, settings), source, follow, settings, taken, tell)
    summaries = tuple(summarize(heard, brands, days=days))
    page = write(summaries, settings.home / "listening" / "index.html")
    return Heard(taken, summaries, page)


def _listener(heard: Any, brands: Any, settings: Settings) -> Listener:
    from models.text.embedding import embed
    from serving.texts.classifier import ReleasedClassifier

    return Listener(heard, brands, ReleasedClassifier(settings), embed)


def _read(
    listener: Listener, source: str, follow: bool, settings: Settings, taken: Taken, tell: Callable[[str, float], None]
) -> None:
    """Take all batches of a source. A history is watched once it is read whole: its order does not matter then."""
    place = source if "://" in source else str(Path(source).resolve())
    live = source.startswith(("http://", "https://", "kafka://"))
    touched: set[str] = set()
    try:
        for batch in _batches(source, listener.store.position(place), follow, settings):
            found = listener.take(batch.rows, place, batch.position, watch=live)
            taken.add(found)
            touched |= found.brands
            tell(f"{taken.counted + taken.known:,} posts of {source}", batch.share or 0.0)
            for one in found.raised if follow else ():
                tell(alarm_line(one), 0.0)
    except KeyboardInterrupt:
        if not follow:
            raise
    if not live:
        taken.raised += listener.watch(touched)


def _batches(source: str, position: str, follow: bool, settings: Settings) -> Iterator[Batch]:
    if source.startswith("kafka://"):
        yield from topic.messages(source, settings, BATCH, follow)
    elif source.startswith(("http://", "https://")):
        yield from _feed(source, follow)
    elif Path(source).suffix in files.LINES:
        yield from files.json_lines(Path(source), position, BATCH)
    else:
        yield from files.table(source, settings, BATCH)


def _feed(url: str, follow: bool) -> Iterator[Batch]:
    while True:
        yield Batch(feed.fetch(url), "", 1.0)
        if not follow:
            return
        time.sleep(POLL_S)


def as_json(heard: Heard) -> str:
    """What was heard as JSON."""
    taken = heard.taken
    refused = [{"place": at, "error": str(wrong)} for at, wrong in taken.refused]
    counts = {"counted": taken.counted, "known": taken.known, "unnamed": taken.unnamed}
    posts = {**counts, "refused": taken.refusals, "refusals": refused}
    found = {"posts": posts, "brands": [asdict(one) for one in heard.summaries], "page": str(heard.page)}
    return json.dumps(found, indent=2, allow_nan=False)


def show(heard: Heard, console: "Console") -> None:
    """The table of brands, alarms and phrases."""
    from rich.table import Table

    taken = heard.taken
    if taken.counted or taken.known or taken.refusals:
        console.print(
            f"{taken.counted:,} posts counted, {taken.known:,} known before, {taken.unnamed:,} of no brand, "
            f"{taken.refusals:,} refused"
        )
    for at, wrong in taken.refused:
        console.print(f"  refused, place {at} of its batch: {wrong}", markup=False)
    table = Table()
    for name in ("brand", "posts", "voices", "share", "sentiment", "trend", "negative", "by day", "alarms"):
        table.add_column(name, justify="left" if name in ("brand", "trend", "by day") else "right")
    for one in heard.summaries:
        table.add_row(*_row(one))
    console.print(table)
    for one in heard.summaries:
        _alarms(one, console)
        if one.phrases:
            told = ", ".join(f"{phrase.text} ({phrase.now}, before {phrase.before})" for phrase in one.phrases)
            console.print(f"{one.brand}, said more than before: {told}", markup=False)
    console.print(f"plot: {heard.page}", markup=False)


def _row(one: Summary) -> list[str]:
    share = "-" if one.share_of_voice is None else f"{one.share_of_voice:.0%}"
    sentiment = "-" if one.sentiment is None else f"{one.sentiment:+.2f}"
    change = "" if one.trend.change is None else f" {one.trend.change:+.2f}"
    alarms = str(len(one.alarms))
    if one.learning_h:
        alarms += f" (learning, {one.learning_h // 24 + 1} days more)"
    return [
        one.brand + (" (competitor)" if one.competitor else ""),
        f"{one.mentions:,}",
        f"{one.voices:,}",
        share,
        sentiment,
        one.trend.direction + change,
        f"{one.negative:,}",
        bars([day.negative for day in one.series]),
        alarms,
    ]


def _alarms(one: Summary, console: "Console") -> None:
    for alarm in one.alarms:
        when = datetime.fromtimestamp(alarm["at"], UTC).strftime("%Y-%m-%d %H:%M UTC")
        expected = alarm["alarm"]["expected"]
        console.print(
            f"{one.brand}: {alarm['alarm']['kind']} of negative voices at {when}, {alarm['alarm']['voice']} in the "
            f"hour so far, {expected:.1f} expected in all of it",
            markup=False,
            style="bold red",
        )
        for post in alarm["posts"]:
            console.print(f"    {post['posts']} x {post['text'][:160]} {post['url']}".rstrip(), markup=False)


def alarm_line(raised: Raised) -> str:
    """One line about an alarm."""
    first = raised.posts[0].text[:80] if raised.posts else ""
    return f"{raised.brand}: {raised.alarm.kind} of negative voices: {first}"


def bars(values: Sequence[float], width: int = 30) -> str:
    """Values as a row of bars, the last ones if there are many."""
    shown = list(values)[-width:]
    most = max(shown, default=0) or 1
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in shown)
