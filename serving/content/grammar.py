"""Grammar of English texts by Harper (Apache 2.0), and the language of a text by fastText's lid.176 (CC BY-SA 3.0)."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from models.text.language import languages

#: Kinds of errors that Harper tells with few false alarms in headlines; it takes names and title case for misspelt.
_KINDS = {"Agreement", "Grammar", "Repetition", "Miscellaneous"}
#: Letters below which a language cannot be told, and the probability from which it is believed.
_LETTERS, _SURE = 20, 0.75


def grammar(text: str, known: str) -> Iterator[tuple[str, str]]:
    """The words of each error, and what is wrong with them.

    Args:
        known: a text whose words are right.
    """
    right = set(known.lower().split())
    words = text.split()
    if sum(word[:1].isupper() for word in words) > 0.7 * len(words) > 2:  # rules are of sentences, not of titles
        text = text[:1] + text[1:].lower()
    for lint in _linter().lint(text):
        if lint.lint_kind in _KINDS and lint.problem_text.lower() not in right:
            yield lint.problem_text, lint.message


def language(text: str, asked: str, known: str) -> str | None:
    """The language of a text that is surely not in `asked`; None otherwise, and where it is too short to tell.

    Args:
        known: a text, such as names, whose words are of no language.
    """
    names = {word.lower() for word in known.split()}
    words = " ".join(word for word in text.lower().split() if word not in names)
    if len(re.sub(r"[\W\d_]", "", words)) < _LETTERS:
        return None
    ((found, sure),) = languages(words).items()
    return found if found != asked and sure >= _SURE else None


@cache
def _linter() -> Any:
    import harper

    linter = harper.Linter()
    # Corrections of what it does not know take seconds in a long text, and names are all that it finds.
    linter.set_lint_config({**linter.get_lint_config(), "SpellCheck": False})
    return linter
