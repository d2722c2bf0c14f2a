"""What in a sheet or a brief supports words that a rule finds."""

import re
from collections.abc import Callable

from serving.content.rules import Rule
from serving.content.sheet import Brief, Sheet

_WORD = re.compile(r"[^\W_]{3,}")

#: The field of the sheet that would support a find.
FIELD = {
    "claims": "claims",
    "free": "free",
    "offer_ends": "offer_ends",
    "stock": "stock",
    "list_price": "list_price",
    "sheet": "features",
}


def supported(rule: Rule, match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """Whether the sheet or the brief supports what a rule finds in a text."""
    return _SUPPORTED[rule.supported_by](match, text, sheet, brief)


def repeated(rule: Rule, text: str, sheet: Sheet, brief: Brief) -> bool:
    """Whether a text that breaks a rule by its meaning repeats what the sheet says, at least half of its words."""
    told = {
        "claims": [one.text for one in sheet.claims],
        "sheet": sheet.features,
        "free": sheet.free,
    }
    if rule.supported_by in told:
        words = [stems(one) for one in told[rule.supported_by]]
        return any(2 * len(one & stems(text)) >= len(one) > 0 for one in words)
    whole = re.compile(".*", re.DOTALL).match(text)
    return whole is not None and supported(rule, whole, text, sheet, brief)


def stems(text: str) -> set[str]:
    """The beginnings of a text's words, which forms of a word share."""
    return {word.lower()[:5] for word in _WORD.findall(text)}


def _claimed(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """A claim with evidence has all words of the find."""
    asked = stems(match[0]) or {match[0].lower()}
    return any(asked <= stems(one.text) | {one.text.lower()} for one in sheet.claims)


def _told(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """The sheet has the find, word for word."""
    asked = re.sub(r"[\s\-]+", " ", match[0]).strip().lower()
    return any(asked in re.sub(r"[\s\-]+", " ", f" {said.lower()} ") for _, said in sheet.lines())


def _for_nothing(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """What is free by the sheet stands in the same sentence."""
    start = max(text.rfind(sign, 0, match.start()) for sign in ".!?") + 1
    ends = [at for sign in ".!?" if (at := text.find(sign, match.end())) >= 0]
    sentence = stems(text[start : min(ends, default=len(text))])
    return any(stems(item) <= sentence for item in sheet.free if stems(item))


_SUPPORTED: dict[str, Callable[[re.Match[str], str, Sheet, Brief], bool]] = {
    "never": lambda match, text, sheet, brief: False,
    "claims": _claimed,
    "sheet": _told,
    "free": _for_nothing,
    "offer_ends": lambda match, text, sheet, brief: sheet.offer_ends is not None,
    "stock": lambda match, text, sheet, brief: sheet.stock is not None,
    "list_price": lambda match, text, sheet, brief: sheet.list_price is not None,
    "declaration": lambda match, text, sheet, brief: brief.political_declaration,
}
