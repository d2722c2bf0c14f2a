"""Phrasings that no rule and no example has are refused by the rule that they break, and true copy passes."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from serving.content.check import check, refused
from serving.content.sheet import Brief, Sheet
from tests.benchmarks.nlp_copies import NAMED, PART

SHEETS = {
    "en": Sheet(
        name="Malt", brand="Birke", kind="running shoe", price="19.99 €", list_price="24.99 €",  # type: ignore[arg-type]
        features=("a sole of recycled rubber", "weighs 210 g", "30 days to return"), free=("shipping",),
    ),
    "de": Sheet(
        name="Malt", brand="Birke", kind="Laufschuh", price="19,99 €", list_price="24,99 €",  # type: ignore[arg-type]
        features=("Sohle aus recyceltem Gummi", "wiegt 210 g", "30 Tage Rückgabe"), free=("Versand",),
    ),
}  # fmt: skip
BRIEFS = {"en": Brief(market="uk"), "de": Brief(market="de")}


def phrasings() -> Iterator[tuple[str, str, str]]:
    """Kind, language and text."""
    written = yaml.safe_load(Path(__file__).with_name("copy_phrasings.yaml").read_text("utf-8"))
    for kind, by_language in written.items():
        for language, texts in by_language.items():
            slots = {"{name}": "Malt", "{kind}": SHEETS[language].kind}
            yield from ((kind, language, re.sub(r"\{\w+\}", lambda slot: slots[slot[0]], text)) for text in texts)  # noqa: B023


def test_of_phrasings_in_other_words_nine_in_ten_are_refused_by_their_rule() -> None:
    broken = [one for one in phrasings() if one[0] != "none"]
    missed = [
        (kind, text)
        for kind, language, text in broken
        if not any(one.rule.startswith(NAMED[kind]) for one in check(text, PART, SHEETS[language], BRIEFS[language]))
    ]
    assert len(broken) > 200 and len(missed) <= 0.1 * len(broken), missed


def test_copy_that_breaks_no_rule_passes() -> None:
    clean = [one for one in phrasings() if one[0] == "none"]
    wrong = [
        (text, found)
        for _, language, text in clean
        if refused(found := check(text, PART, SHEETS[language], BRIEFS[language]))
    ]
    assert len(clean) > 30 and len(wrong) <= 0.05 * len(clean), wrong
