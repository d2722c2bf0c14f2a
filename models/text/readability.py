"""How easily a text reads: Flesch, "A new readability yardstick" (1948), with syllables counted as groups of vowels."""

import re
from collections.abc import Sequence

import numpy as np

from models.text.surface import Floats, words

NAMES = ("reading_ease", "syllables_per_word", "letters_per_word")
_VOWELS = re.compile(r"[aeiouy\u00e4\u00f6\u00fc]+")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
#: Reading ease of a text without words: that of plain English.
PLAIN = 65.0


def readability(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`; reading ease is mostly from 0 (hard) to 100 (easy)."""
    return np.array([_readability(text) for text in texts], dtype=np.float64).reshape(len(texts), len(NAMES))


def _readability(text: str) -> list[float]:
    found = words(text)
    if not found:
        return [PLAIN, 1.5, 4.5]
    sentences = max(len(_SENTENCE.findall(text)), 1)
    syllables = sum(_syllables(word.lower()) for word in found) / len(found)
    letters = sum(map(len, found)) / len(found)
    return [206.835 - 1.015 * len(found) / sentences - 84.6 * syllables, syllables, letters]


def _syllables(word: str) -> int:
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and len(word) > 3
    return max(len(_VOWELS.findall(word)) - silent, 1)
