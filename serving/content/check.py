"""Checks copy against the rules, the platform's limits and the product sheet; a refusal names all three."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from serving.content.facts import wrong
from serving.content.formats import formats
from serving.content.grammar import grammar, language
from serving.content.rules import Rule, phrase, rules
from serving.content.sheet import Brief, Sheet

#: Letters of other scripts that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03bf",
    "aeopcyxiABEHIKMNOPTXo",
)
_WORD = re.compile(r"[^\W_]{3,}")
_SOURCE = "the product sheet"


@dataclass(frozen=True)
class SheetLine:
    """Where the sheet says something: its field, the line of its file where there is one, and what it says."""

    field: str
    line: int | None
    says: str


@dataclass(frozen=True)
class BrokenRule:
    """Why copy is refused, or warned of.

    Attributes:
        rule: the rule's id.
        found: the words that it is about.
        sheet: the line that says otherwise; None where the sheet says nothing of it.
        source: of the rule.
    """

    rule: str
    market: str
    severity: str
    message: str
    found: str
    sheet: SheetLine | None
    source: str


def check(text: str, part: str, sheet: Sheet, brief: Brief, lines: Mapping[str, int] | None = None) -> list[BrokenRule]:
    """What is wrong with a text as `format.part` (`google.search.headline`).

    Args:
        lines: the line of each field of the sheet.

    Raises `KeyError` for an unknown part.
    """
    checks = _Checks(sheet, brief, part, lines or {})
    plain = _plain(text)
    return [*checks.length(text), *checks.rules(text, plain), *checks.facts(plain), *checks.written(plain)]


def off_topic(text: str, sheet: Sheet, brief: Brief) -> list[BrokenRule]:
    """A model's draft that has no word of the sheet or of the audiences is about something else."""
    known = _stems(" ".join([*(said for _, said in sheet.lines()), *brief.audiences]))
    if _stems(_plain(text)) & known:
        return []
    return [BrokenRule("draft.off_topic", brief.market, "refuse", "has no word of the sheet", text[:60], None, _SOURCE)]


def refused(found: list[BrokenRule]) -> bool:
    """Whether any of these is more than a warning."""
    return any(one.severity == "refuse" for one in found)


@dataclass(frozen=True)
class _Checks:
    sheet: Sheet
    brief: Brief
    part: str
    lines: Mapping[str, int]

    def length(self, text: str) -> Iterator[BrokenRule]:
        name, _, part = self.part.rpartition(".")
        form = formats()[name]
        limits, long = form.parts[part], form.length(text)
        if long > limits.limit:
            said = f"{long} characters as {form.id} counts, at most {limits.limit}"
            yield self._refusal("length.long", said, text[:60], None, f"{form.source} ({form.date})")
        if long < limits.at_least:
            said = f"{long} characters, at least {limits.at_least} say something"
            yield self._refusal("length.short", said, text[:60], None, "our own")

    def rules(self, text: str, plain: str) -> Iterator[BrokenRule]:
        for rule in rules():
            if rule.holds(self.sheet, self.brief, self.part):
                yield from self._broken(rule, text if rule.id == "style.invisible" else plain)
        own = {"brand.avoid": self.brief.avoid, "mark.competitor": self.brief.competitors}
        for name, words in own.items():
            for match in _listed(words).finditer(plain) if words else ():
                said = "a word that the brief says to avoid" if name == "brand.avoid" else "a competitor of the brief"
                yield self._refusal(name, said, match[0], None, "the brief")

    def facts(self, plain: str) -> Iterator[BrokenRule]:
        for one in wrong(plain, self.sheet):
            if one.says is None:
                said = f"says {one.text}; the sheet says nothing of it"
            else:
                said = f"says {one.text}; the sheet says {one.says}"
            yield self._refusal(f"fact.{one.kind}", said, one.text, one.field, _SOURCE)

    def written(self, plain: str) -> Iterator[BrokenRule]:
        asked = self.brief.written_in
        own = " ".join([text for _, text in self.sheet.lines()])
        other = language(plain, asked, own)
        if other is not None:
            yield self._refusal("language", f"is in '{other}', asked for '{asked}'", plain[:60], None, "the brief")
        elif asked == "en":
            for words, message in grammar(plain, own):
                yield self._refusal("grammar", message, words, None, "Harper's grammar rules")

    def _broken(self, rule: Rule, text: str) -> Iterator[BrokenRule]:
        for match in rule.finds(text):
            if not _SUPPORTED[rule.supported_by](match, text, self.sheet, self.brief):
                field = _FIELD.get(rule.supported_by)
                message = f"'{match[0].strip()}': {rule.about}"
                source = f"{rule.source} ({rule.date})"
                yield self._refusal(rule.id, message, match[0].strip(), field, source, rule.severity)
                return

    def _refusal(
        self, rule: str, message: str, found: str, field: str | None, source: str, severity: str = "refuse"
    ) -> BrokenRule:
        return BrokenRule(rule, self.brief.market, severity, message, found, self._line(field), source)

    def _line(self, field: str | None) -> SheetLine | None:
        says = dict(self.sheet.lines())
        if field is None:
            return None
        texts = [text for path, text in says.items() if path == field or path.startswith(f"{field}.")]
        return SheetLine(field, self.lines.get(field), "; ".join(texts)[:200] or "nothing")


def _plain(text: str) -> str:
    """The text as a reader sees it: compatibility forms unified, invisible characters gone, lookalikes Latin."""
    unified = unicodedata.normalize("NFKC", text)
    seen = "".join(sign for sign in unified if unicodedata.category(sign) not in ("Cf", "Cc") or sign in "\n\t\u200d")
    mixed = any("a" <= sign <= "z" for sign in seen.lower())
    return " ".join((seen.translate(_LOOKALIKES) if mixed else seen).split())


@cache
def _listed(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrase(one) for one in words)})(?!\w)", re.IGNORECASE)


def _stems(text: str) -> set[str]:
    return {word.lower()[:5] for word in _WORD.findall(text)}


def _claimed(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """A claim with evidence has all words of the find."""
    asked = _stems(match[0]) or {match[0].lower()}
    return any(asked <= _stems(one.text) | {one.text.lower()} for one in sheet.claims)


def _told(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """The sheet has the find, word for word."""
    asked = re.sub(r"[\s\-]+", " ", match[0]).strip().lower()
    return any(asked in re.sub(r"[\s\-]+", " ", f" {said.lower()} ") for _, said in sheet.lines())


def _for_nothing(match: re.Match[str], text: str, sheet: Sheet, brief: Brief) -> bool:
    """What is free by the sheet stands in the same sentence."""
    start = max(text.rfind(sign, 0, match.start()) for sign in ".!?") + 1
    ends = [at for sign in ".!?" if (at := text.find(sign, match.end())) >= 0]
    sentence = _stems(text[start : min(ends, default=len(text))])
    return any(_stems(item) <= sentence for item in sheet.free if _stems(item))


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
#: The field of the sheet that would support a find.
_FIELD = {
    "claims": "claims",
    "free": "free",
    "offer_ends": "offer_ends",
    "stock": "stock",
    "list_price": "list_price",
    "sheet": "features",
}
