"""From a product sheet and a brief to a set of copy: drafted, checked, ranked; what was refused stays beside it."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from serving.content.check import BrokenRule, check, off_topic, refused
from serving.content.drafters import Drafter, DrafterAway, DraftingTask, templates
from serving.content.feedback import CopyFeedback, Made
from serving.content.formats import formats
from serving.content.grammar import language
from serving.content.ranking import Ranker, order
from serving.content.rules import NOTE
from serving.content.sheet import Brief, Sheet

log = logging.getLogger("adloop.content")

#: Drafts of a part that are checked, as a multiple of those wanted.
SPARE = 2


@dataclass(frozen=True)
class CopyDraft:
    """A piece of copy that passed.

    Attributes:
        drafted_by: the model with its hash, or `templates`.
        warnings: of rules that warn.
    """

    id: str
    part: str
    text: str
    audience: str | None
    benefit: str
    drafted_by: str
    warnings: tuple[BrokenRule, ...] = ()


@dataclass(frozen=True)
class RefusedDraft:
    """A draft that was refused, with every reason."""

    part: str
    text: str
    drafted_by: str
    reasons: tuple[BrokenRule, ...]


@dataclass(frozen=True)
class Set:
    """What a brief got.

    Attributes:
        ranked_by: the model that ordered it; None where people's verdicts alone did.
        missing: how many drafts a part lacks of those that were wanted, where nothing else passed.
    """

    market: str
    language: str
    seed: int
    drafted_by: str
    ranked_by: str | None
    drafts: tuple[CopyDraft, ...]
    refused: tuple[RefusedDraft, ...]
    missing: dict[str, int] = field(default_factory=dict)
    note: str = NOTE

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the counts by rule and the share from templates."""
        by_rule = Counter(reason.rule for one in self.refused for reason in {r.rule: r for r in one.reasons}.values())
        made = [one.drafted_by == TEMPLATES for one in self.drafts]
        counts = {"refused_by_rule": dict(by_rule.most_common()), "from_templates": sum(made) / max(1, len(made))}
        return asdict(self) | counts


TEMPLATES = "templates"


class UnknownFormat(ValueError):
    """A format or part that nobody knows."""


class OtherLanguage(ValueError):
    """A sheet in another language than the copy: its features would stand in the copy untranslated."""


@dataclass(frozen=True)
class Content:
    """Drafts copy.

    Args:
        drafter: None: templates alone.
        ranker: None: the order is that of people's verdicts.
    """

    drafter: Drafter | None
    ranker: Ranker | None
    feedback: CopyFeedback

    def draft(self, sheet: Sheet, brief: Brief, seed: int = 0, lines: Mapping[str, int] | None = None) -> Set:
        """A set of copy; the same for the same seed, models and verdicts.

        Raises `UnknownFormat` and `OtherLanguage`.
        """
        parts = list(_parts(brief))
        other = language(". ".join(sheet.features), brief.written_in, f"{sheet.name} {sheet.brand}")
        if other is not None:
            raise OtherLanguage(f"features: expected '{brief.written_in}', the language of the copy, got '{other}'")
        drafts: list[CopyDraft] = []
        refusals: list[RefusedDraft] = []
        missing = {}
        said = self.feedback.of(sheet.brand)
        for part, wanted in parts:
            passed = self._passed(part, wanted, sheet, brief, seed, lines or {}, refusals)
            expected = (
                self.ranker.scores([one.text for one in passed], _headline(part)) if self.ranker and passed else None
            )
            best = [passed[place] for place in order([one.text for one in passed], expected, said)][:wanted]
            drafts += best
            if len(best) < wanted:
                missing[part] = wanted - len(best)
        self.feedback.made(Made(one.id, sheet.brand, one.part, one.text) for one in drafts)
        by = self.drafter.name if self.drafter else TEMPLATES
        ranked = self.ranker.name if self.ranker else None
        return Set(brief.market, brief.written_in, seed, by, ranked, tuple(drafts), tuple(refusals), missing)

    def _passed(
        self,
        part: str,
        wanted: int,
        sheet: Sheet,
        brief: Brief,
        seed: int,
        lines: Mapping[str, int],
        out: list[RefusedDraft],
    ) -> list[CopyDraft]:
        """Drafts that passed: of the model first, then of templates; those refused go `out`."""
        passed: dict[str, CopyDraft] = {}
        for text, audience, benefit, by in self._drafted(part, wanted, sheet, brief, seed):
            if text in passed:
                continue
            found = check(text, part, sheet, brief, lines)
            if by != TEMPLATES:
                found += off_topic(text, sheet, brief)
            if refused(found):
                out.append(RefusedDraft(part, text, by, tuple(found)))
            else:
                identity = _identity(sheet, brief, part, text)
                passed[text] = CopyDraft(identity, part, text, audience, benefit, by, tuple(found))
            if len(passed) >= SPARE * wanted + 2:
                break
        return list(passed.values())

    def _drafted(
        self, part: str, wanted: int, sheet: Sheet, brief: Brief, seed: int
    ) -> Iterator[tuple[str, str | None, str, str]]:
        """Text, audience, benefit and drafter, the model's first."""
        name, _, kind = part.rpartition(".")
        pairs = list(product(sheet.features, brief.audiences or (None,)))
        benefit, audience = pairs[seed % len(pairs)]
        if self.drafter is not None and brief.written_in in self.drafter.languages:
            task = DraftingTask(part, formats()[name].parts[kind].limit, sheet, brief, audience, benefit)
            try:
                for text in self.drafter.draft(task, SPARE * wanted, seed):
                    yield text, audience, _about(text, sheet, benefit), self.drafter.name
            except DrafterAway as away:
                log.warning("templates take over: %s", away)
        for text, of, about in templates.drafts(part, sheet, brief, seed):
            yield text, of, about, TEMPLATES


def _parts(brief: Brief) -> Iterator[tuple[str, int]]:
    """Each part that the brief asks, as `format.part`, and how many of it."""
    for name in brief.formats:
        if name not in formats():
            raise UnknownFormat(f"formats: expected some of {', '.join(formats())}, got '{name}'")
        for part, about in formats()[name].parts.items():
            yield f"{name}.{part}", min(about.wanted or brief.count, brief.count)


def _headline(part: str) -> bool:
    return part.endswith(("headline", "subject"))


def _about(text: str, sheet: Sheet, asked: str) -> str:
    """The feature that a text has most words of; the one asked for where it has none of any."""
    words = set(text.lower().split())
    shared = {one: len(words & set(one.lower().split())) for one in sheet.features}
    best = max(sheet.features, key=lambda one: shared[one])
    return best if shared[best] else asked


def _identity(sheet: Sheet, brief: Brief, part: str, text: str) -> str:
    whole = json.dumps([repr(sheet), repr(brief), part, text]).encode()
    return hashlib.sha256(whole).hexdigest()[:16]


@dataclass(frozen=True)
class CheckedCopy:
    """A text, whether it passes, and what is wrong with it."""

    part: str
    text: str
    passed: bool
    reasons: tuple[BrokenRule, ...]


def check_all(
    copy: Mapping[str, Sequence[str]], sheet: Sheet, brief: Brief, lines: Mapping[str, int]
) -> list[CheckedCopy]:
    """Checks texts by their `format.part`. Raises `UnknownFormat`."""
    found = []
    for part, texts in copy.items():
        name, _, kind = part.rpartition(".")
        if name not in formats() or kind not in formats()[name].parts:
            known = ", ".join(f"{one.id}.{each}" for one in formats().values() for each in one.parts)
            raise UnknownFormat(f"copy: expected parts among {known}, got '{part[:60]}'")
        for text in texts:
            reasons = check(text, part, sheet, brief, lines)
            found.append(CheckedCopy(part, text, not refused(reasons), tuple(reasons)))
    return found
