"""What can be counted in a short text: length, numbers, punctuation and whom it addresses."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NAMES = ("words", "characters", "numbers", "question", "exclamation", "capitals", "quotation", "you", "we")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_YOU = frozenset(("you", "your", "yours", "yourself", "du", "dein", "deine", "ihr", "euer", "sie"))
_WE = frozenset(("we", "us", "our", "ours", "i", "my", "me", "mine", "wir", "unser", "unsere", "ich", "mein"))


def words(text: str) -> list[str]:
    """The words of a text, without numbers."""
    return _WORD.findall(text)


def surface(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`; shares are of the words."""
    return np.array([_surface(text) for text in texts], dtype=np.float64).reshape(len(texts), len(NAMES))


def _surface(text: str) -> list[float]:
    found = words(text)
    lower, count = [word.lower() for word in found], max(len(found), 1)
    return [
        float(len(found)),
        float(len(text)),
        float(len(_NUMBER.findall(text))),
        float("?" in text),
        float("!" in text),
        sum(len(word) > 1 and word.isupper() for word in found) / count,
        float(any(sign in text for sign in "\"'\u201c\u201d\u2018\u00ab")),
        float(any(word in _YOU for word in lower)),
        float(any(word in _WE for word in lower)),
    ]
