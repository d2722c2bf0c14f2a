"""Copies that break a rule, and copies that break none, for products with a sheet; written as copywriters write, apart
from the rules' own words (`nlp_copies.yaml`).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from serving.content.sheet import Brief, Claim, Language, Market, Sheet

PART = "linkedin.feed.headline"


#: Rules that may name each kind: a copy that is refused for its length alone is no catch.
NAMED = {
    "price": ("fact.money",),
    "discount": ("fact.discount",),
    "number": ("fact.quantity", "fact.number"),
    "superlative": ("claim.superlative",),
    "comparative": ("claim.comparative", "mark."),
    "free": ("offer.free",),
    "deadline": ("offer.deadline", "fact.date", "fact.quantity"),
    "scarcity": ("offer.scarce", "fact.number"),
    "proof": ("claim.proven",),
    "cure": ("health.cure",),
    "slimming": ("health.slimming",),
    "green": ("claim.green",),
    "safety": ("claim.safety",),
    "reviews": ("claim.testimonial",),
    "politics": ("politics.",),
    "profanity": ("style.profanity",),
    "grammar": ("grammar", "style.modal_of"),
    "language": ("language",),
    "guarantee": ("offer.money_back",),
    "hidden": ("style.invisible", "offer.free", "health.cure"),
    "style": ("style.",),
    "leftover": ("style.",),
}


@dataclass(frozen=True)
class Copy:
    """A text for a product. `breaks` is the kind of what it breaks, None where it breaks nothing."""

    text: str
    sheet: Sheet
    brief: Brief
    breaks: str | None


def _sheet(language: str, **changed: object) -> Sheet:
    english: dict[str, object] = {
        "name": "Malt", "brand": "Birke", "kind": "running shoe", "price": "19.99 €", "list_price": "24.99 €",
        "features": ("a sole of natural rubber", "weighs 210 g", "30 days to return"),
        "free": ("shipping",), "offer_ends": None,
    }  # fmt: skip
    german = english | {
        "kind": "Laufschuh", "features": ("Sohle aus Naturkautschuk", "wiegt 210 g", "30 Tage Rückgabe"),
        "free": ("Versand",),
    }  # fmt: skip
    return Sheet.model_validate((german if language == "de" else english) | changed)


_NAMES = ("Malt", "the Malt by Birke", "our new Malt", "Malt")
_NAMES_DE = ("Malt", "der Malt von Birke", "unser neuer Malt", "Malt")
#: Adjectives with their superlatives and comparatives.
_ADJECTIVES = (
    ("light", "lightest", "lighter"),
    ("comfortable", "most comfortable", "more comfortable"),
    ("soft", "softest", "softer"),
    ("durable", "most durable", "more durable"),
    ("quick", "quickest", "quicker"),
    ("elegant", "most elegant", "more elegant"),
)
_ADJEKTIVE = (
    ("leicht", "leichteste", "leichter"),
    ("bequem", "bequemste", "bequemer"),
    ("weich", "weichste", "weicher"),
    ("schnell", "schnellste", "schneller"),
)
_RIVALS = ("Adidas", "Nike", "Puma", "Asics", "Reebok", "New Balance")
_PLACES = ("Germany", "Europe", "the world", "the country", "this town")
_ORTE = ("Deutschland", "Europa", "der Welt", "der Stadt")

FRAMES = Path(__file__).with_suffix(".yaml")


def products() -> list[tuple[Sheet, Language]]:
    """Products of several trades, and the language of their sheets."""
    english = (
        (
            "Malt",
            "Birke",
            "running shoe",
            "general",
            "€19.99",
            ("a sole of natural rubber", "only 210 g light", "30 days to return"),
        ),
        (
            "Brisk",
            "Tarn",
            "kettle",
            "general",
            "£34.50",
            ("boils in 3 minutes", "a quiet lid", "a warranty of 2 years"),
        ),
        ("Dew", "Linde", "face cream", "cosmetics", "$24.00", ("with oat milk", "50 ml in glass", "for dry skin")),
        ("Harvest", "Kornhof", "muesli", "food", "€4.95", ("oats and hazelnuts", "500 g", "baked in small batches")),
        (
            "Orbit",
            "Nordlys",
            "desk lamp",
            "general",
            "€59.00",
            ("three levels of light", "an arm of 40 cm", "a plug for any desk"),
        ),
    )
    german = (
        (
            "Malt",
            "Birke",
            "Laufschuh",
            "general",
            "19,99 €",
            ("Sohle aus Naturkautschuk", "nur 210 g leicht", "30 Tage Rückgabe"),
        ),
        (
            "Flink",
            "Tarn",
            "Wasserkocher",
            "general",
            "34,50 €",
            ("kocht in 3 Minuten", "leiser Deckel", "2 Jahre Garantie"),
        ),
        (
            "Tau",
            "Linde",
            "Gesichtscreme",
            "cosmetics",
            "24,00 €",
            ("mit Hafermilch", "50 ml im Glas", "für trockene Haut"),
        ),
    )
    names = ("name", "brand", "kind", "trade", "price", "features")
    several: tuple[tuple[Language, tuple[tuple[object, ...], ...]], ...] = (("en", english), ("de", german))
    return [
        (Sheet.model_validate(dict(zip(names, one, strict=True))), language)
        for language, all_ in several
        for one in all_
    ]


def planted(count: int, seed: int) -> list[Copy]:
    """`count` different copies that break something."""
    every = [
        (kind, language, frame)
        for kind, by in _frames()["planted"].items()
        for language, frames in by.items()
        for frame in frames
    ]
    rng = random.Random(seed)
    found: dict[str, Copy] = {}
    while len(found) < count:
        kind, language, frame = every[rng.randrange(len(every))]
        text = filled(frame, language, rng)
        market: Market = "de" if language == "de" else rng.choice(("uk", "us"))
        found.setdefault(f"{text} {market}", Copy(text, _sheet(language), Brief(market=market), kind))
    return list(found.values())


def clean(count: int, seed: int) -> list[Copy]:
    """`count` different copies that break nothing; some claim what their sheet proves."""
    every = [(language, frame) for language, frames in _frames()["clean"].items() for frame in frames]
    rng = random.Random(seed)
    found = {one.text: one for one in _proved()}
    while len(found) < count:
        one = _clean(every, rng)
        found.setdefault(f"{one.text} {one.brief.market}", one)
    return list(found.values())


def _clean(every: list[tuple[str, str]], rng: random.Random) -> Copy:
    language, frame = every[rng.randrange(len(every))]
    market: Market = "de" if language == "de" else rng.choice(("uk", "us"))
    return Copy(filled(frame, language, rng), _sheet(language), Brief(market=market), None)


def _proved() -> Iterator[Copy]:
    """What is refused elsewhere, for products whose sheet proves or states it."""
    claim = Claim(text="the lightest shoe of the 2026 test", evidence="test report 12/2026")
    clinic = Claim(text="clinically tested by 120 runners", evidence="study of 2026")
    several: tuple[tuple[str, dict[str, object]], ...] = (
        ("Malt: the lightest shoe of the 2026 test.", {"claims": (claim,)}),
        ("Malt is clinically tested by 120 runners.", {"claims": (clinic,)}),
        ("Until 4 December: Malt for €19.99.", {"offer_ends": date(2026, 12, 4)}),
        ("The offer for Malt ends on Friday.", {"offer_ends": date(2026, 12, 4)}),
        ("Only 12 pairs of Malt left.", {"stock": 12}),
        ("A fragrance-free insole: Malt.", {"features": ("a fragrance-free insole",)}),
        ("Money back within 30 days: Malt.", {"features": ("money back within 30 days",)}),
        ("Malt works with Garmin watches.", {"features": ("works with Garmin watches",)}),
    )
    for text, changed in several:
        yield Copy(text, _sheet("en", **changed), Brief(market="uk"), None)


@cache
def _frames() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FRAMES.read_text("utf-8"))
    return found


def filled(frame: str, language: str, rng: random.Random) -> str:
    """The frame with words drawn for its slots."""
    english = language == "en"
    plain, superlative, comparative = rng.choice(_ADJECTIVES if english else _ADJEKTIVE)
    euros = rng.choice((9.99, 14.5, 17.95, 18.99, 29.99, 39.0, 1299.0))
    price = f"€{euros:,.2f}" if english else f"{euros:.2f} €".replace(".", ",")
    percent = rng.choice((10, 25, 30, 40, 50, 70))
    text = frame.format(
        n=rng.choice(_NAMES if english else _NAMES_DE), a=plain, s=superlative, c=comparative, r=rng.choice(_RIVALS),
        p=rng.choice(_PLACES if english else _ORTE), x=price, d=f"{percent}%" if english else f"{percent} %",
        w=f"{rng.choice((150, 180, 199, 250))} g", y=rng.choice((2, 3, 5, 10)),
    )  # fmt: skip
    return text[:1].upper() + text[1:]
