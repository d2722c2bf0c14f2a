"""Emotions of tweets (TweetEval)."""

from collections.abc import Iterator
from typing import Any

from features.settings import Settings
from models.nlp.metrics import macro_f1
from tests.benchmarks.nlp_compare import compare
from tests.benchmarks.nlp_texts import EMOTION, digest, emotions


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Macro F1 on the test tweets."""
    name = "nlp.emotion.macro_f1"
    if not EMOTION.is_dir():
        yield {"name": name, "absent": "tweeteval is not there"}
        return
    found = compare(emotions(), ("tfidf_logistic", "frozen_encoder"))
    yield found.row(name, macro_f1(), ">= .74", "frozen_encoder", data_hash=digest(*sorted(EMOTION.glob("*.gz"))))
