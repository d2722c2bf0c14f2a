"""Checks copy against the rules, the platform's limits and the product sheet; a refusal names all three."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from serving.content.facts import wrong
from serving.content.formats import formats
from serving.content.grammar import grammar, language, sentence
from serving.content.meaning import meanings
from serving.content.plain import plain, unmasked
from serving.content.rules import Rule, phrase, rules
from serving.content.sheet import Brief, Sheet
from serving.content.support import FIELD, repeated, stems, supported

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
    seen = plain(text)
    by_words = list(checks.rules(text, seen))
    by_meaning = checks.meaning(seen, {one.rule for one in by_words})
    return [*checks.length(text), *by_words, *by_meaning, *checks.facts(seen), *checks.written(seen)]


def off_topic(text: str, sheet: Sheet, brief: Brief) -> list[BrokenRule]:
    """A model's draft that has no word of the sheet or of the audiences is about something else."""
    known = stems(" ".join([*(said for _, said in sheet.lines()), *brief.audiences]))
    if stems(plain(text)) & known:
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

    def rules(self, text: str, seen: str) -> Iterator[BrokenRule]:
        meant, said = unmasked(seen), sentence(seen) if self.brief.written_in == "en" else seen
        for rule in rules():
            if rule.holds(self.sheet, self.brief, self.part):
                if rule.id == "style.invisible":
                    yield from self._broken(rule, text)
                else:
                    found = list(self._broken(rule, seen if rule.case else said))
                    yield from found or (self._broken(rule, meant) if meant != seen and not rule.case else ())
        own = {"brand.avoid": self.brief.avoid, "mark.competitor": self.brief.competitors}
        for name, words in own.items():
            for match in _listed(words).finditer(seen) if words else ():
                said = "a word that the brief says to avoid" if name == "brand.avoid" else "a competitor of the brief"
                yield self._refusal(name, said, match[0], None, "the brief")

    def meaning(self, seen: str, broken: Container[str]) -> Iterator[BrokenRule]:
        """Rules that it breaks by what it means, where the rule's own words have not decided."""
        known = {rule.id: rule for rule in rules() if rule.holds(self.sheet, self.brief, self.part)}
        for one in meanings(seen, self.brief.written_in, self.sheet):
            rule = known.get(one.rule)
            if rule is None or rule.id in broken or rule.decides(seen):
                continue
            if not repeated(rule, one.piece, self.sheet, self.brief):
                said = f"means much the same as '{one.example}': {rule.about}"
                source = f"{rule.source} ({rule.date})"
                yield self._refusal(rule.id, said, one.piece[:60], FIELD.get(rule.supported_by), source, rule.severity)

    def facts(self, seen: str) -> Iterator[BrokenRule]:
        for one in wrong(seen, self.sheet):
            if one.says is None:
                said = f"says {one.text}; the sheet says nothing of it"
            else:
                said = f"says {one.text}; the sheet says {one.says}"
            yield self._refusal(f"fact.{one.kind}", said, one.text, one.field, _SOURCE)

    def written(self, seen: str) -> Iterator[BrokenRule]:
        asked = self.brief.written_in
        own = " ".join([text for _, text in self.sheet.lines()])
        other = language(seen, asked, own)
        if other is not None:
            yield self._refusal("language", f"is in '{other}', asked for '{asked}'", seen[:60], None, "the brief")
        elif asked == "en":
            for words, message in grammar(seen, own):
                yield self._refusal("grammar", message, words, None, "Harper's grammar rules")

    def _broken(self, rule: Rule, text: str) -> Iterator[BrokenRule]:
        for match in rule.finds(text):
            if not supported(rule, match, text, self.sheet, self.brief):
                field = FIELD.get(rule.supported_by)
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


@cache
def _listed(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrase(one) for one in words)})(?!\w)", re.IGNORECASE)
