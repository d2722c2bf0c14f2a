"""The rules of copy, as data: each with its market, trade, source and date. They are no legal advice.

A rule finds words, phrases (a trailing star matches any ending) or patterns, and says what in the sheet or the brief
supports them. Nothing that is written in a sheet, a brief or a draft changes a rule.
"""

import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from serving.content.sheet import Brief, Market, Sheet, Tone, Trade

NOTE = (
    "The rules are data with sources and dates; they are no legal advice, and what passes them may still be unlawful."
)

#: What allows a find: nothing; a claim with evidence; any line of the sheet; an item of `free`; a field of the sheet
#: that is filled in; the political declaration of the brief.
Support = Literal["never", "claims", "sheet", "free", "offer_ends", "stock", "list_price", "declaration"]


class Rule(BaseModel):
    """A rule, as the files in this folder have it.

    Attributes:
        about: what is wrong with what it finds.
        severity: `refuse`, or `warn`: the copy passes, with the warning beside it.
        when: the tone that the brief asks for.
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
            and (not self.parts or part in self.parts)
        )

    def finds(self, text: str) -> Iterator[re.Match[str]]:
        """What it finds in a text, but for what an exception covers."""
        excused = [match.span() for match in self._unless.finditer(text)] if self._unless is not None else []
        for match in self._pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in excused):
                yield match

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = [*self.words, *(_packaged(self.list, frozenset(self.allowed)) if self.list else ())]
        phrases = "|".join(phrase(one) for one in sorted(words, key=len, reverse=True))
        parts = [rf"(?<!\w)(?:{phrases})(?!\w)"] if phrases else []
        return re.compile("|".join([*parts, *self.patterns]), re.NOFLAG if self.case else re.IGNORECASE)

    @cached_property
    def _unless(self) -> re.Pattern[str] | None:
        return re.compile("|".join(self.unless), re.IGNORECASE) if self.unless else None


def phrase(words: str) -> str:
    """A pattern of a phrase: any space or hyphen between its words, any apostrophe."""
    found = re.escape(words.removesuffix("*")).replace(r"\-", r"[\s\-]?").replace(r"\ ", r"[\s\-]+")
    found = found.replace("'", "['\u2019]")
    return found + (r"\w*" if words.endswith("*") else "")


@cache
def rules() -> tuple[Rule, ...]:
    """All rules. Raises `ValueError` for two with one id."""
    found = [
        Rule.model_validate(one)
        for path in sorted(Path(__file__).parent.glob("*.yaml"))
        for one in yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader
    ]
    if len({one.id for one in found}) != len(found):
        raise ValueError("rules: expected each id once")
    return tuple(found)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's safe loader where it is there: ten times as fast."""


@cache
def _packaged(name: str, allowed: frozenset[str]) -> tuple[str, ...]:
    words = files(name).joinpath("profanity_wordlist.txt").read_text("utf-8").split("\n")
    plain = {word.strip().lower() for word in words if len(word.strip()) > 2}
    return tuple(sorted(plain - allowed))
