"""What the checks of copy catch and what they refuse wrongly; and that all copy that briefs get keeps the rules."""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from features.settings import Settings
from serving.content.check import check, refused
from serving.content.draft import Content, Set
from serving.content.drafters import local
from serving.content.feedback import SqliteFeedback
from serving.content.sheet import Brief, Market, Sheet
from tests.benchmarks.nlp_copies import NAMED, PART, Copy, clean, planted, products

UPWORTHY = Path(__file__).parents[2].parent / "shared/data/upworthy/upworthy_dev.parquet"
SEED, PLANTED, OWN, REAL, BRIEFS, DRAFTED = 0, 500, 120, 380, 200, 20
#: Headlines that make no claim: letters and plain punctuation, without numbers, superlatives, politics, medicine,
#: names of companies and strong words.
_PLAIN = re.compile(r"[A-Za-z ,.'?:-]{20,150}")
_CLAIMS = re.compile(
    r"\b(?:best|most|worst|first|only|never|free|vot\w+|elect\w*|president|congress|senate|party|republicans?|democrats?"
    r"|cure\w*|doctors?|scien\w+|stud(?:y|ies)|health\w*|disease\w*|cancer|pain\w*|politic\w*|war|government|\w+est)\b"
    r"|\b(?:disney|facebook|barbie|walmart|iphones?|google|apple|amazon|mcdonald\S*|twitter|youtube|nike)\b"
    r"|\b\S*(?:ass|crap|porn|hitler|damn|shit|screw\w*|piss\w*|slut\w*|bitch\w*|whore\w*|sex\w*)\b"
    r"|(?-i:[A-Z]{4,})|[.?]{2,}",
    re.IGNORECASE,
)


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Shares with Wilson's 95% intervals."""
    every = planted(PLANTED, SEED)
    missed = Counter(one.breaks for one in every if not _caught(one))
    by_kind = ", ".join(f"{kind} {count}" for kind, count in missed.most_common()) or "none"
    yield {
        "name": "nlp.generation.planted_recall",
        **_share(len(every) - missed.total(), len(every)),
        "goal": ">= .95",
        "unit": "of copies that break a rule are refused by it, in phrasings that no rule was mended by; missed: "
        + by_kind,
        "seed": SEED,
    }
    yield _false_refusals()
    yield from _briefs()


def _caught(one: Copy) -> bool:
    found = check(one.text, PART, one.sheet, one.brief)
    return any(reason.rule.startswith(NAMED[one.breaks or ""]) for reason in found)


def _false_refusals() -> dict[str, Any]:
    own, told = clean(OWN, SEED), {"name": "nlp.generation.false_refusals", "goal": "<= .05", "seed": SEED}
    real = _real()
    wrong = sum(refused(check(one.text, PART, one.sheet, one.brief)) for one in own)
    wrong += sum(refused(check(text, "linkedin.feed.introductory_text", _MAGAZINE, Brief())) for text in real)
    unit = f"of {len(own)} true copies and {len(real)} headlines of Upworthy that make no claim"
    hashed = {"data_hash": hashlib.sha256(UPWORTHY.read_bytes()).hexdigest()} if real else {}
    return {**told, **_share(wrong, len(own) + len(real)), "unit": unit, **hashed}


_MAGAZINE = Sheet(name="Upworthy", brand="Upworthy", kind="magazine", features=("stories that people share",))


def _real() -> list[str]:
    if not UPWORTHY.is_file():
        return []
    every = sorted({one.strip() for one in pd.read_parquet(UPWORTHY, columns=["headline"])["headline"]})
    kept = [one for one in every if _PLAIN.fullmatch(one) and not _CLAIMS.search(one)]
    return random.Random(SEED).sample(kept, REAL)


def _briefs() -> Iterator[dict[str, Any]]:
    """All copy of briefs passes; how much came from templates, and what was refused."""
    sets = list(_drafted())
    drafts = [one for each in sets for one in each.drafts]
    refusals = Counter(reason.rule for each in sets for one in each.refused for reason in one.reasons)
    tried = len(drafts) + sum(len(each.refused) for each in sets)
    passed = sum(not any(one.severity == "refuse" for one in draft.warnings) for draft in drafts)
    by = f"{BRIEFS} briefs, of which {DRAFTED} are drafted by {local.Local().name}"
    most = ", ".join(f"{rule} {count}" for rule, count in refusals.most_common(5))
    yield {
        "name": "nlp.generation.rule_pass",
        "value": passed / len(drafts),
        "goal": ">= 1",
        "unit": f"of {len(drafts)} drafts, {by}",
        "seed": SEED,
    }
    templates = sum(one.drafted_by == "templates" for one in drafts)
    yield {
        "name": "nlp.generation.from_templates",
        "value": templates / len(drafts),
        "unit": f"of drafts, {by}",
        "seed": SEED,
    }
    yield {
        "name": "nlp.generation.refused",
        "value": 1 - len(drafts) / tried,
        "unit": f"of what was drafted or filled in, most by: {most}",
        "seed": SEED,
    }


def _drafted() -> Iterator[Set]:
    model = local.Local() if local.there() else None
    with TemporaryDirectory() as folder:
        store = SqliteFeedback(Path(folder) / "feedback.db")
        markets: tuple[Market, ...] = ("uk", "us", "de")
        every = list(product(products(), markets, ("neutral", "formal", "informal"), (None, "beginners", "commuters")))
        for place, ((sheet, language), market, tone, audience) in enumerate(
            random.Random(SEED).sample(every, len(every))
        ):
            brief = Brief(
                market=market, language=language, tone=tone, audiences=(audience,) if audience else (), count=5
            )
            drafter = model if language == "en" and place % (BRIEFS // DRAFTED) == 0 else None
            yield Content(drafter, None, store).draft(sheet, brief, SEED + place)
            if place == BRIEFS - 1:
                return


def _share(count: int, whole: int, z: float = 1.96) -> dict[str, float]:
    """A share with its interval (Wilson, 1927)."""
    share = count / whole
    middle, wide = share + z * z / (2 * whole), z * (share * (1 - share) / whole + z * z / (4 * whole * whole)) ** 0.5
    return {"value": share, "low": (middle - wide) / (1 + z * z / whole), "high": (middle + wide) / (1 + z * z / whole)}
