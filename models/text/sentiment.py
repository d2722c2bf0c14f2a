"""Sentiment of English texts by VADER (Hutto and Gilbert, 2014; MIT licence): neutral for other languages."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from models.text.surface import Floats

NAMES = ("sentiment", "positive", "negative")


def sentiment(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`: the whole from -1 to 1, and the shares of either kind."""
    found = [_analyzer().polarity_scores(text) for text in texts]
    rows = [[one["compound"], one["pos"], one["neg"]] for one in found]
    return np.array(rows, dtype=np.float64).reshape(len(texts), len(NAMES))


def lexicon() -> frozenset[str]:
    """The words that VADER rates."""
    return frozenset(_analyzer().lexicon)


@cache
def _analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
