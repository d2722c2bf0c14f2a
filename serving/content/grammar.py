"""Grammar of English texts by Harper (Apache 2.0), and the language of a text by fastText's lid.176 (CC BY-SA 3.0)."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from features.yaml_file import from_yaml
from models.text.language import languages

#: Kinds of errors that Harper tells with few false alarms in headlines; it takes names and title case for misspelt.
_KINDS = {"Agreement", "Grammar", "Repetition", "Miscellaneous"}
#: Its rules that are more often wrong than right there; to correct what it does not know takes seconds in a long text.
_NOISY = (
    "SpellCheck", "MissingPreposition", "FillerWords", "DiscourseMarkers", "QuantifierNeedsOf", "MassNouns",
    "MultipleSequentialPronouns", "ModalBeAdjective", "SubjunctiveWasToWere", "ExpandMemoryShorthands",
)  # fmt: skip
#: Letters below which a language cannot be told, those below which its probability says less, the probability from
#: which it is believed, and that of the language asked up to which a short text is not in it.
_FEW, _LETTERS, _SURE, _NOT = 8, 20, 0.75, 0.05


def grammar(text: str, known: str) -> Iterator[tuple[str, str]]:
    """The words of each error, and what is wrong with them.

    Args:
        known: a text whose words are right.
    """
    right = set(known.lower().split())
    for lint in _linter().lint(sentence(text)):
        told = lint.lint_kind in _KINDS or "possessive version" in lint.message
        if told and lint.problem_text.lower() not in right:
            yield lint.problem_text, lint.message


def sentence(text: str) -> str:
    """A title, most words of which begin with a capital, as a sentence: the rules are of sentences."""
    words = text.split()
    titled = sum(word[:1].isupper() for word in words) > 0.7 * len(words) > 2
    return text[:1] + text[1:].lower() if titled else text


def language(text: str, asked: str, known: str) -> str | None:
    """The language of a text that is surely not in `asked`; None otherwise, and where it is too short to tell.

    Args:
        known: a text, such as names, whose words are of no language.
    """
    names = set(_words(known))
    words = [word for word in _words(text) if word not in names]
    common = {one for one in _common_words() if any(_common(word, one) for word in words)}
    if asked in _common_words() and len(common) == 1 and asked not in common:
        return common.pop()
    letters = sum(map(len, words))
    if letters < _FEW or (letters < _LETTERS and asked in common):
        return None
    likely = languages(" ".join(words), 4)
    found = max(likely, key=lambda one: likely[one])
    surely = letters >= _LETTERS or likely.get(asked, 0.0) <= _NOT
    return found if found != asked and likely[found] >= _SURE and surely else None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?", text.lower())


def _common(word: str, of: str) -> bool:
    return word in _common_words()[of] or (of == "de" and not set(word).isdisjoint("äöüß"))


@cache
def _common_words() -> dict[str, frozenset[str]]:
    """Words that tell the language of texts of three words, by language."""
    found = from_yaml(Path(__file__).with_name("common_words.yaml").read_text("utf-8"))
    return {language: frozenset(words) for language, words in found.items()}


@cache
def _linter() -> Any:
    import harper

    linter = harper.Linter()
    linter.set_lint_config({**linter.get_lint_config(), **dict.fromkeys(_NOISY, False)})
    return linter
