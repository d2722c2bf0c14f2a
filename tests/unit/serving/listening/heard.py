"""Posts, a brand list and a real small classifier (VADER) for tests of social listening."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.text.embedding import embed
from models.text.sentiment import sentiment
from serving.listening.brands import Brands
from serving.listening.listener import Listener
from serving.listening.store import MentionStore

#: Monday, 5 January 2026, 00:00 UTC.
MONDAY = 1767571200.0
HOUR, DAY = 3600.0, 86_400.0
BRANDS = Brands.model_validate(
    {
        "brands": [{"name": "Runfast", "aliases": ["@runfast"]}],
        "competitors": [
            {
                "name": "Apple",
                "context": ["iphone", "macbook", "tim cook"],
                "mentions": [
                    "Apple released a new phone",
                    "my Apple laptop broke",
                    "Apple shares rise",
                    "the Apple store",
                ],
                "others": [
                    "grandma bakes an apple pie",
                    "I eat an apple a day",
                    "apple juice for breakfast",
                    "an apple tree",
                ],
            }
        ],
    }
)
#: Words that make texts differ.
WORDS = (
    "sole",
    "lace",
    "box",
    "heel",
    "pair",
    "road",
    "trail",
    "size",
    "web",
    "shop",
    "stock",
    "parcel",
    "staff",
    "note",
)
BAD = ("terrible", "awful", "horrible", "broken", "disgusting")


@dataclass(frozen=True)
class Rated:
    label: str
    score: float


class Vader:
    """The lexicon as a classifier; knows no aspects."""

    def classify(self, texts: Sequence[str], task: str, aspects: Sequence[str | None] | None = None) -> list[Rated]:
        assert task == "sentiment"
        scores = sentiment(texts)[:, 0].tolist()
        return [Rated("positive" if s > 0.05 else "negative" if s < -0.05 else "neutral", s) for s in scores]


def listener(folder: Path, brands: Brands = BRANDS) -> Listener:
    return Listener(MentionStore(folder / "heard.db"), brands, Vader(), embed)


def post(text: str, at: float = MONDAY, **more: Any) -> dict[str, Any]:
    return {"text": text, "occurred_at": at, **more}


def complaint(rng: np.random.Generator, at: float) -> dict[str, Any]:
    """A negative post that is no copy of another, of an author of its own."""
    said = f"Runfast {rng.choice(BAD)} {' '.join(rng.choice(WORDS, 8))}"
    return post(said, at, author=f"someone {rng.integers(1 << 40)}", language="en")


def complaints(rng: np.random.Generator, rates: np.ndarray, start: float = MONDAY) -> Iterator[dict[str, Any]]:
    """Complaints at an hourly rate, hour by hour."""
    for hour, count in enumerate(rng.poisson(rates)):
        for at in np.sort(rng.uniform(0, HOUR, count)):
            yield complaint(rng, start + hour * HOUR + at)


def rhythm(days: int, base: float = 5.0) -> np.ndarray:
    """Hourly rates with quiet nights, busy Mondays and quiet weekends, `base` on average."""
    hours = np.arange(days * 24)
    of_day = 1 - 0.8 * np.cos(2 * np.pi * (hours % 24 - 3) / 24)
    of_week = np.array([1.5, 1.0, 1.0, 1.0, 1.0, 0.7, 0.7])[hours // 24 % 7]
    morning = np.where((hours % 168 >= 7) & (hours % 168 < 11), 2.0, 1.0)
    rates = of_day * of_week * morning
    return base * rates / rates[: min(len(rates), 168)].mean()
