"""Twenty planted ads get the right verdict, with the rule; so do keywords and placements."""

import pytest

from serving.campaigns.checks.brand_safety import of_plan, rules, unsafe
from serving.campaigns.reading import read_text
from tests.unit.serving.campaigns.test_reading import EXAMPLE

PLANTED = {
    "Order cheap handguns today, no questions asked": "brand.weapons",
    "Assault rifles in stock, delivered discreetly": "brand.weapons",
    "Immigrants are vermin. Wear this shirt": "brand.hate",
    "White power hoodies, new collection": "brand.hate",
    "Hot singles in your town want you tonight": "brand.adult",
    "Painkillers without prescription, next day": "brand.drugs",
    "Earthquake special sale: 40% off tents": "brand.tragedy",
    "Double your money in ten days": "brand.fraud",
    "Vaccines cause illness. Buy our drops": "brand.misinformation",
    "Starve yourself slim with our tea": "brand.self_harm",
    "Light running shoes for rainy days": None,
    "A glue gun for every workshop": None,
    "An evening of murder mystery, with dinner": None,
    "Shoot better photos with this tripod": None,
    "A helpline for suicide prevention": None,
    "Help with heroin addiction: ask our doctors": None,
    "Killer guitar riffs: lessons for beginners": None,
    "Refugees welcome: language courses for all": None,
    "War of the Roses: a board game": None,
    "Double your storage, not your bill": None,
}


@pytest.mark.parametrize(("text", "rule"), PLANTED.items())
def test_planted_ads_get_the_right_verdict(text: str, rule: str | None) -> None:
    assert [one.rule for one in unsafe(text, "ad")] == ([rule] if rule else [])


def test_every_rule_but_violence_is_planted_and_each_has_a_source() -> None:
    assert {one.id for one in rules()} - {*PLANTED.values()} == {"brand.violence"}
    assert all(one.source and one.date for one in rules())
    assert [one.rule for one in unsafe("Posters of the massacre", "ad")] == ["brand.violence"]


def test_keywords_and_headlines_of_a_plan_are_told_with_their_place() -> None:
    text = (
        EXAMPLE.read_text().replace("light running shoes", "school shooting").replace("Malt Running Shoe", "Nazi Shoe")
    )
    found = [str(one) for one in of_plan(read_text(text.encode(), "x.yaml")[0])]
    assert found == [
        "google_ads: running: keyword: 'school shooting': violence against people (brand.violence)",
        "google_ads: running: light: 'Nazi': hatred or contempt of a group of people (brand.hate)",
    ]
