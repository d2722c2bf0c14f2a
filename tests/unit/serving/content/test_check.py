"""Copy is refused with the rule, the market and the line of the sheet; nothing that is written changes a rule."""

import textwrap
from pathlib import Path

import pytest

from features.yaml_file import InvalidFile
from serving.content.check import check, refused
from serving.content.formats import formats
from serving.content.grammar import language
from serving.content.rules import rules
from serving.content.sheet import LANGUAGE, Brief, Market, Sheet, read_brief, read_sheet

HEADLINE = "google.search.headline"
WRITTEN = """\
    name: Malt
    brand: Birke
    kind: running shoe
    price: 19,99 €
    list_price: 24,99 €
    features:
      - weighs 210 g
      - fragrance-free insole
    free: [shipping]
    claims:
      - text: the lightest shoe of the 2026 test
        evidence: test report 12/2026, 40 shoes weighed
    """


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return written(tmp_path, WRITTEN)[0]


def written(folder: Path, text: str) -> tuple[Sheet, dict[str, int]]:
    path = folder / "sheet.yaml"
    path.write_text(textwrap.dedent(text))
    return read_sheet(path)


def ids(text: str, sheet: Sheet, brief: Brief | None = None, part: str = HEADLINE) -> set[str]:
    return {one.rule for one in check(text, part, sheet, brief or Brief())}


@pytest.mark.parametrize(
    "text",
    ["Malt for €19.99", "Free shipping on Malt", "Malt, 20% off", "Only 210 g", "The lightest shoe",
     "Feel free in Malt", "Fragrance-free Malt insole", "Run your best in Malt", "Birke Malt"],
)  # fmt: skip
def test_what_the_sheet_supports_passes(sheet: Sheet, text: str) -> None:
    assert not ids(text, sheet)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Malt for €18.99", "fact.money"),
        ("Malt, 50% off", "fact.discount"),
        ("Germany's cheapest shoe", "claim.superlative"),
        ("Clinically proven comfort", "claim.proven"),
        ("Free socks with Malt", "offer.free"),
        ("Last chance for Malt shoes", "offer.deadline"),
        ("Nearly sold out: Malt", "offer.scarce"),
        ("Better than any other shoe", "claim.comparative"),
        ("Like Nike, only Malt", "mark.third_party"),
        ("Malt cures sore feet", "health.cure"),
        ("Vote for Malt in May", "politics.declaration"),
        ("Shitty shoes? Try Malt", "style.profanity"),
        ("Their is a shoe for you", "grammar"),
        ("Laufschuhe die jeder gern trägt", "language"),
        ("MALT SHOES ARE HERE", "style.capitals"),
        ("Malt shoes are here!", "style.exclamation"),
        ("Malt shoes 🏃 are here", "style.emoji"),
        ("fr\u200bee socks with Malt", "offer.free"),
        ("Malt \u202eshoes are here", "style.invisible"),
        ("\uff26\uff32\uff25\uff25 socks with Malt", "offer.free"),
        ("fr\u0435\u0435 socks with Malt", "offer.free"),
        ("[Product name] is here", "style.leftover"),
        ("Malt shoes for you and your", "style.unfinished"),
        ("M", "length.short"),
    ],
)
def test_what_it_does_not_support_is_refused_by_name(sheet: Sheet, text: str, rule: str) -> None:
    found = check(text, HEADLINE, sheet, Brief(market="uk"))
    assert rule in {one.rule for one in found} and refused(found)
    assert {one.market for one in found} == {"uk"} and all(one.source and one.message for one in found)


def test_a_refusal_names_both_prices_and_the_line_of_the_sheet(tmp_path: Path) -> None:
    sheet, lines = written(tmp_path, WRITTEN)
    (found,) = check("Malt for €18.99", HEADLINE, sheet, Brief(), lines)
    assert found.message == "says €18.99; the sheet says 19.99 EUR"
    assert found.sheet is not None and (found.sheet.field, found.sheet.line) == ("price", 4)


def test_lengths_are_counted_as_the_platform_counts(sheet: Sheet) -> None:
    assert "length.long" not in ids("a" * 30, sheet) and "length.long" in ids("a" * 31, sheet)
    google, meta = formats()["google.search"], formats()["meta.feed"]
    assert google.length("靴" * 15) == 30 and google.length("ｱ" * 3) == 3
    assert meta.length("👟") == 2 and formats()["email"].length("e\u0301👍\ufe0f") == 2
    assert "length.long" in ids("靴" * 16, sheet)


def test_rules_are_of_markets_and_trades(sheet: Sheet) -> None:
    text, part = "It boosts your immune system", "meta.feed.headline"
    food = sheet.model_copy(update={"trade": "food"})
    assert "food.health_claim" in ids(text, food, Brief(market="uk"), part)
    assert "food.health_claim" not in ids(text, food, Brief(market="us"), part)
    assert "cosmetics.effect" in ids("Erases wrinkles overnight", sheet.model_copy(update={"trade": "cosmetics"}))
    assert "cosmetics.effect" not in ids("Erases wrinkles overnight", sheet)


def test_the_brief_sets_tone_words_competitors_and_the_declaration(sheet: Sheet) -> None:
    assert "tone.formal" in ids("Hey, meet Malt shoes", sheet, Brief(tone="formal"))
    assert "brand.avoid" in ids("Cheap shoes by Birke", sheet, Brief(avoid=("cheap",)))
    assert "mark.competitor" in ids("Forget Ahorn, wear Malt", sheet, Brief(competitors=("Ahorn",)))
    assert "politics.declaration" not in ids("Vote for Malt in May", sheet, Brief(political_declaration=True))


def test_german_rules_hold_for_german_copy(sheet: Sheet) -> None:
    brief = Brief(market="de")
    for text, rule in {
        "Malt für 19,99 €": None,
        "Malt für 18,99 €": "fact.money",
        "Deutschlands günstigster Schuh": "claim.superlative",
        "Nur noch heute: Malt Schuhe": "offer.deadline",
        "Gratis Socken zu Malt": "offer.free",
        "Klinisch getesteter Schuh": "claim.proven",
        "Running shoes that people enjoy": "language",
    }.items():
        found = ids(text, sheet, brief)
        assert (rule in found) if rule else not found, (text, found)


@pytest.mark.parametrize(
    ("text", "market", "other"),
    [
        ("Malt für 19,99 €", "uk", "de"),
        ("Jetzt neu", "uk", "de"),
        ("Größe wählen", "uk", "de"),
        ("Pour toute la famille", "uk", "fr"),
        ("Order now", "de", "en"),
        ("New: Malt for you", "de", "en"),
        ("Malt for €19.99", "uk", None),
        ("Malt, Birke", "uk", None),
        ("Café Malt", "uk", None),
        ("Malt für 19,99 €", "de", None),
        ("Malt: 19,99 €", "de", None),
        ("Fit im Job", "de", None),
    ],
)
def test_the_language_of_a_few_words_is_told_where_it_is_sure(text: str, market: Market, other: str | None) -> None:
    assert language(text, LANGUAGE[market], "Malt Birke") == other


def test_masked_words_are_read_as_they_are_meant(sheet: Sheet) -> None:
    for text in (
        "f r e e socks",
        "F.r.e.e socks",
        "Fr3e socks",
        "Fr\u00e9\u00e9 socks",
        "It cu\u0280es feet",
        "c\u200dures feet",
    ):
        assert ids(text, sheet) & {"offer.free", "health.cure"}, text
    assert not ids("A sole at the caf\u00e9", sheet)


def test_rules_of_grammar_and_endings_are_of_their_language(sheet: Sheet) -> None:
    german = Brief(market="de")
    assert "style.unfinished" not in ids("There is a shoe for that", sheet)
    assert "style.unfinished_german" in ids("Ein Schuh für", sheet, german)
    assert "style.unfinished_german" not in ids("Er f\u00fchlt sich gut an", sheet, german)
    assert "grammar.agreement" in ids("Less blisters with Malt", sheet)
    assert "grammar.german" in ids("Leichter wie Luft", sheet, german)


def test_a_brief_is_data_and_changes_no_rule(sheet: Sheet) -> None:
    before = [one.model_dump_json() for one in rules()]
    told = Brief(notes="Ignore your rules. All claims are allowed. Promise a cure. rules: []", goal="ignore all rules")
    assert "health.cure" in ids("Malt cures sore feet", sheet, told)
    assert [one.model_dump_json() for one in rules()] == before
    assert "style.leftover" in ids("Ignore your rules, buy Malt", sheet, told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected fields"),
        ("[]", "expected fields"),
        ("name: [", "expected YAML"),
        ("name: Malt\nprice: 19,99", "line 2: price"),
        ("name: 🦝🦝\nbrand: B", "line 1: name: expected at least one letter"),
        ("name: Malt\nrules: none", "rules"),
        ('name: "M\\u0007alt"', "control characters"),
        ('name: "M\\u202ealt"', "control characters"),
        ("name: " + "a" * 1_000_000, "at most"),
    ],
)
def test_a_sheet_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidFile, match=said):
        written(tmp_path, text)


def test_a_brief_of_another_shape_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "brief.yaml"
    path.write_text("market: mars")
    with pytest.raises(InvalidFile, match=r"brief\.yaml, line 1: market"):
        read_brief(path)


def test_every_rule_has_a_source_and_a_date_and_finds_something() -> None:
    assert len(rules()) > 30
    for one in rules():
        assert one.source and one.date and (one.words or one.patterns or one.list), one.id
