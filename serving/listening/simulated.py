"""A simulated stream of posts for the report: real rated tweets, said of two made-up brands at simulated times."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from features.settings import Settings
from serving.listening.brands import Brands
from serving.listening.listener import BATCH, Listener
from serving.listening.matching import Embed
from serving.listening.sentiment import SentimentClassifier
from serving.listening.store import DAY_S, MentionStore
from serving.listening.summary import Summary, summarize

SEED = 7
#: Six weeks from Monday, 5 January 2026, posts an hour on average by brand, and a burst of negative ones.
BEGUN, DAYS = 1767571200.0, 42
BRANDS = Brands.model_validate({"brands": [{"name": "Runfast"}], "competitors": [{"name": "Stridewell"}]})
RATES = {"Runfast": 0.5, "Stridewell": 0.2}
BURST, BURST_AT = 40, BEGUN + 38 * DAY_S + 15 * 3600
#: Mean ratings of tweets in the burst lie below it.
NEGATIVE = -0.3
_PLACE = "listening/simulated.db"


def simulate(
    settings: Settings, texts: Sequence[tuple[str, float]], classifier: SentimentClassifier, embed: Embed
) -> None:
    """Listen to the stream; `texts` are rated from -1 to 1. Nothing of an earlier one is kept."""
    for file in _files(settings):
        file.unlink(missing_ok=True)
    store = MentionStore(settings.home / _PLACE)
    listener = Listener(store, BRANDS, classifier, embed)
    rows = list(posts(texts))
    for at in range(0, len(rows), BATCH):
        listener.take(rows[at : at + BATCH], watch=False)
    listener.watch(BRANDS.names)
    store.close()


def heard(settings: Settings) -> tuple[Summary, ...]:
    """Summaries of the stream; none before it was simulated."""
    if not (settings.home / _PLACE).is_file():
        return ()
    store = MentionStore(settings.home / _PLACE)
    try:
        return tuple(summarize(store, BRANDS, days=DAYS))
    finally:
        store.close()


def posts(texts: Sequence[tuple[str, float]]) -> Iterator[dict[str, Any]]:
    """The stream: each text is said once, of a brand by its name."""
    from better_profanity.better_profanity import Profanity

    contains_profanity = Profanity().contains_profanity
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(texts)).tolist()
    negative = (place for place in order if texts[place][1] < NEGATIVE and not contains_profanity(texts[place][0]))
    angry = list(islice(negative, BURST))  # the report quotes them
    usual = iter([place for place in order if place not in set(angry)])
    for brand, rate in RATES.items():
        hours = np.arange(DAYS * 24)
        rhythm = (1 - 0.7 * np.cos(2 * np.pi * (hours % 24 - 3) / 24)) * np.where(hours // 24 % 7 == 0, 1.4, 0.93)
        for hour, count in enumerate(rng.poisson(rate * rhythm)):
            for at in rng.uniform(0, 3600, count):
                place = next(usual, None)
                if place is not None:
                    yield _post(brand, texts[place][0], BEGUN + hour * 3600 + at, place)
    for place, at in zip(angry, rng.uniform(0, 3600, BURST), strict=False):
        yield _post("Runfast", texts[place][0], BURST_AT + at, place)


def _post(brand: str, text: str, at: float, place: int) -> dict[str, Any]:
    return {"text": f"{brand}: {text}", "occurred_at": float(at), "author": f"author {place}", "language": "en"}


def _files(settings: Settings) -> Iterator[Path]:
    return (settings.home / f"{_PLACE}{ending}" for ending in ("", "-wal", "-shm"))
