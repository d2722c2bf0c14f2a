"""Sentiment of film reviews and of tweets, rated by people: beside VADER on the same texts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from features.settings import Settings
from features.sources import rated_texts
from models.nlp.metrics import macro_f1
from tests.benchmarks.nlp_compare import compare
from tests.benchmarks.nlp_texts import digest

#: How far above VADER each has to be.
ABOVE = {"movies": 0.12, "tweets": 0.0}


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Macro F1 on held-out texts of each kind, and the latency of one."""
    if not rated_texts.ARCHIVE.is_file():
        names = (*(f"{kind}.macro_f1" for kind in ABOVE), "p50_ms")
        yield from ({"name": f"nlp.sentiment.{name}", "absent": "make setup downloads the texts"} for name in names)
        return
    told, slowest = {"data_hash": digest(rated_texts.ARCHIVE)}, []
    for kind, above in ABOVE.items():
        texts = rated_texts.labelled(kind)
        found = compare(_split(texts.assign(task="sentiment")), ("tfidf_logistic", "vader", "frozen_encoder"), epochs=4)
        vader = macro_f1().measure(found.truth, found.answers["vader"])
        yield found.row(f"nlp.sentiment.{kind}.macro_f1", macro_f1(), f">= {vader + above:.4f}", "vader", **told)
        slowest.append(found.p50_ms)
    yield {"name": "nlp.sentiment.p50_ms", "value": max(slowest), "goal": "<= 8", "unit": "ms, one text", **told}


def _split(texts: Any) -> Any:
    """With a fifth of the texts to test on."""
    drawn = np.random.default_rng(0).random(len(texts)) < 0.2
    return texts.assign(split=np.where(drawn, "test", "train"))
