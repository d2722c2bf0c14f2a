"""Copy is refused for what it means, in English and German, by the rule and near one of its examples."""

import pytest

from serving.content.check import check
from serving.content.meaning import english, meanings
from serving.content.rules import rules
from serving.content.sheet import Brief, Claim, Sheet

PART = "linkedin.feed.headline"
SHEET = Sheet(name="Malt", brand="Birke", kind="running shoe", features=("a sole of recycled rubber",))


@pytest.mark.parametrize(
    ("text", "language", "rule"),
    [
        ("It takes the pain out of your hips", "en", "health.cure"),
        ("Walk yourself thin", "en", "health.slimming"),
        ("Soon there will be none", "en", "offer.scarce"),
        ("Für die Umwelt gemacht", "de", "claim.green"),
        ("Hält Erkältungen fern", "de", "health.cure"),
        ("A sole for your walk", "en", None),
        ("Eine Sohle für den Spaziergang", "de", None),
        ("Malt ansehen", "de", None),
    ],
)
def test_what_a_text_means_names_the_rule_that_it_breaks(text: str, language: str, rule: str | None) -> None:
    assert {one.rule for one in meanings(text, language, SHEET)} == ({rule} if rule else set())  # type: ignore[arg-type]


def test_a_refusal_by_meaning_says_which_example_it_is_near() -> None:
    (found,) = check("It takes the pain out of your hips", PART, SHEET, Brief(market="uk"))
    assert found.rule == "health.cure" and found.message.startswith("means much the same as '") and found.source


def test_a_long_text_is_read_in_pieces() -> None:
    long = "A sole for your walk, which bends with your foot and is easy to clean with a cloth after the rain. " * 3
    assert not list(meanings(long, "en", SHEET))
    thin = "Walk yourself thin, a flat belly without a diet, get rid of the pounds and fit into your old jeans"
    (found,) = meanings(long + thin, "en", SHEET)
    assert (found.rule, found.piece) == ("health.slimming", thin)


def test_what_repeats_a_claim_of_the_sheet_passes() -> None:
    claim = Claim(text="a bounce that makes the others jealous", evidence="test report 12/2026")
    text, brief, rule = "The others will be jealous of it", Brief(market="uk"), "claim.comparative"
    assert rule in {one.rule for one in check(text, PART, SHEET, brief)}
    proved = SHEET.model_copy(update={"claims": (claim,)})
    assert rule not in {one.rule for one in check(text, PART, proved, brief)}


def test_german_is_read_word_by_word_with_endings_and_compounds() -> None:
    assert english("Die weichen Sohlen", "de") == "the soft sole"
    assert english("Hautkrankheit", "de") == "skin illness"
    assert english("Xylophon", "de") == "xylophon" and english("Weich", "en") == "weich"


def test_every_meaning_is_of_a_rule() -> None:
    from serving.content.meaning import _examples, _learnt

    assert set(_learnt()) == set(_examples()) <= {one.id for one in rules()} | {"nothing"}
