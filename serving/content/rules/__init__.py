"""The rules of copy, as data: each with its market, trade, source and date. They are no legal advice.

A rule finds words, phrases (a star matches any letters) or patterns, in which `<illness>` is any of the terms of that
name and `<few>` up to four words, and says what in the sheet or the brief supports them. Nothing that is written in a
sheet, a brief or a draft changes a rule.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from features.yaml_file import from_yaml
from serving.content.sheet import Brief, Language, Market, Sheet, Tone, Trade

NOTE = (
    "The rules are data with sources and dates; they are no legal advice, and what passes them may still be unlawful."
)

#: What allows a find: nothing; a claim with evidence; any line of the sheet; an item of `free`; a field of the sheet
#: that is filled in; the political declaration of the brief.
Support = Literal["never", "claims", "sheet", "free", "offer_ends", "stock", "list_price", "declaration"]

_TERMS = Path(__file__).with_name("terms.yaml")
#: How a pattern names a list of terms.
_NAMED = re.compile(r"<([a-z]+)>")


class Rule(BaseModel):
    """A rule, as the files in this folder have it.

    Attributes:
        about: what is wrong with what it finds.
        severity: `refuse`, or `warn`: the copy passes, with the warning beside it.
        when: the tone that the brief asks for.
        language: only of copy in this language.
        parts: only of these, as `format.part`.
        case: capitals count.
        list: words of a package, without those `allowed`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    about: str
    source: str
    date: str
    supported_by: Support
    severity: Literal["refuse", "warn"] = "refuse"
    markets: tuple[Market, ...] = ("de", "uk", "us")
    trades: tuple[Trade | Literal["all"], ...] = ("all",)
    when: Tone | None = None
    language: Language | None = None
    parts: tuple[str, ...] = ()
    case: bool = False
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    list: Literal["better_profanity"] | None = None
    allowed: tuple[str, ...] = ()

    def holds(self, sheet: Sheet, brief: Brief, part: str) -> bool:
        """Whether it applies to a part of copy for this product and brief."""
        return (
            brief.market in self.markets
            and ("all" in self.trades or sheet.trade in self.trades)
            and self.when in (None, brief.tone)
            and self.language in (None, brief.written_in)
            and (not self.parts or part in self.parts)
        )

    def finds(self, text: str) -> Iterator[re.Match[str]]:
        """What it finds in a text, but for what an exception covers."""
        excused = [match.span() for match in self._unless.finditer(text)] if self._unless is not None else []
        for match in self._pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in excused):
                yield match

    def decides(self, text: str) -> bool:
        """Whether its words or its exceptions are in a text."""
        return self._pattern.search(text) is not None or (self._unless is not None and bool(self._unless.search(text)))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = [*self.words, *(_packaged(self.list, frozenset(self.allowed)) if self.list else ())]
        parts = [_any(words)] if words else []
        patterns = (_NAMED.sub(lambda name: _terms()[name[1]], one) for one in self.patterns)
        return re.compile("|".join([*parts, *patterns]), re.NOFLAG if self.case else re.IGNORECASE)

    @cached_property
    def _unless(self) -> re.Pattern[str] | None:
        return re.compile("|".join(self.unless), re.IGNORECASE) if self.unless else None


def phrase(words: str) -> str:
    """A pattern of a phrase: any space or hyphen between its words, any apostrophe, any letters for a star."""
    found = re.escape(words).replace(r"\-", r"[\s\-]?").replace(r"\ ", r"[\s\-]+").replace(r"\*", r"\w*")
    return found.replace("'", "['\u2019]")


def _any(words: Iterable[str]) -> str:
    phrases = "|".join(phrase(one) for one in sorted(words, key=len, reverse=True))
    return rf"(?<!\w)(?:{phrases})(?!\w)"


@cache
def rules() -> tuple[Rule, ...]:
    """All rules. Raises `ValueError` for two with one id."""
    found = [
        Rule.model_validate(one)
        for path in sorted(Path(__file__).parent.glob("*.yaml"))
        if path != _TERMS
        for one in from_yaml(path.read_text())
    ]
    if len({one.id for one in found}) != len(found):
        raise ValueError("rules: expected each id once")
    return tuple(found)


@cache
def _terms() -> dict[str, str]:
    """The pattern of each name."""
    named = from_yaml(_TERMS.read_text())
    return {name: _any(words) for name, words in named.items()} | {"few": r"(?:[\w'\u2019%-]+,? ){0,4}"}


@cache
def _packaged(name: str, allowed: frozenset[str]) -> tuple[str, ...]:
    words = files(name).joinpath("profanity_wordlist.txt").read_text("utf-8").split("\n")
    plain = {word.strip().lower() for word in words if len(word.strip()) > 2}
    return tuple(sorted(plain - allowed))
