"""How a short text is put: its sentences, its marks, and the kinds of words that headlines work with.

The kinds follow what set headlines apart that were clicked: forward reference and signal words of clickbait (Blom and
Hansen, 2015), pronouns, negation and superlatives (Banerjee and Urminsky, "The language that drives engagement", 2024).
The lists are English; in other languages their columns are 0.
"""

import re
from collections.abc import Sequence

import numpy as np

from models.text.surface import Floats, words

_KINDS = {
    "he": "he him his man men guy boy father dad husband son brother",
    "she": "she her hers woman women girl girls mother mom wife daughter sister",
    "they": "they them their people folks everybody everyone somebody someone",
    "it": "it its it's",
    "this": "this these that those here here's",
    "asks": "what why how who when where which",
    "next": "happen happens happened next then until turns find found wait reason thing things",
    "see": "watch see look looks listen hear check meet read video clip",
    "negation": "no not never nothing none nobody without don't doesn't didn't isn't aren't won't can't wouldn't",
    "modal": "should must need needs have would could might may can will",
    "most": "most best worst ever greatest biggest only every all always first",
    "contrast": "but yet however instead actually really just even still",
    "body": "face faces eyes heart jaw mind head hands tears laugh smile breath",
    "young": "kid kids child children baby babies teen teens student students",
    "money": "money dollar dollars pay paid price cost rich poor million billion tax wage",
    "time": "second seconds minute minutes hour hours day days year years",
}
_SETS = {name: frozenset(of.split()) for name, of in _KINDS.items()}
_ENDINGS = ("ed", "ing", "ly")
_FORM = (
    *(
        "sentences",
        "words_of_last",
        "share_of_last",
        "full_stop",
        "asks_last",
        "starts_with_number",
        "starts_with_this",
    ),
    *("commas", "colons", "dashes", "ellipsis", "brackets", "stars"),
    *("title_case", "long_words", "distinct_words", "characters_squared", "words_squared"),
)
NAMES = (*_FORM, *_KINDS, *(f"ending_{one}" for one in _ENDINGS))
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\u201d\u2019]*\s+")
_DASH = re.compile(r"\s-\s|[\u2013\u2014]")


def phrasing(texts: Sequence[str]) -> Floats:
    """One row per text, one column for each of `NAMES`: counts, flags, and shares of the words."""
    return np.array([_phrasing(text) for text in texts], dtype=np.float64).reshape(len(texts), len(NAMES))


def _phrasing(text: str) -> list[float]:
    found = words(text)
    lower = [word.lower().replace("\u2019", "'") for word in found]
    of_kind = [float(sum(word in kind for word in lower)) for kind in _SETS.values()]
    endings = [float(sum(len(word) > 4 and word.endswith(ending) for word in lower)) for ending in _ENDINGS]
    return _form(text.strip(), found, lower) + of_kind + endings


def _form(text: str, found: list[str], lower: list[str]) -> list[float]:
    sentences = _SENTENCE.split(text)
    count, last = max(len(found), 1), len(words(sentences[-1]))
    return [
        float(len(sentences)),
        float(last),
        last / count,
        float(text.endswith(".")),
        float(text.endswith("?")),
        float(text[:1].isdigit()),
        float(bool(lower) and lower[0] in ("this", "these", "here", "here's")),
        float(text.count(",")),
        float(text.count(":")),
        float(len(_DASH.findall(text))),
        float("..." in text or "\u2026" in text),
        float("(" in text or "[" in text),
        float("*" in text),
        sum(word[0].isupper() for word in found) / count,
        sum(len(word) > 7 for word in found) / count,
        len(set(lower)) / count,
        (len(text) / 100) ** 2,
        (len(found) / 10) ** 2,
    ]
