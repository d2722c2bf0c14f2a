"""The product sheet and the brief: what copy may say, and what it is for. Both are data: no text in them is a rule."""

import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from features.yaml_file import InvalidFile, parsed, read
from serving.content.numbers import Money, money

Market = Literal["de", "uk", "us"]
Language = Literal["de", "en"]
Trade = Literal["general", "alcohol", "cosmetics", "finance", "food", "gambling", "health", "supplements", "toys"]
Tone = Literal["neutral", "formal", "informal"]
LANGUAGE: dict[Market, Language] = {"de": "de", "uk": "en", "us": "en"}


def _plain(text: str) -> str:
    """Text of one line as it is compared and shown. Raises `ValueError` for characters that hide or reorder text."""
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") and sign not in "\t\n\r\u200c\u200d\ufe0f":
            raise ValueError(f"expected text without control characters, got U+{ord(sign):04X}")
    return " ".join(unicodedata.normalize("NFC", text).split())


def _worded(text: str) -> str:
    if not any(sign.isalpha() for sign in text):
        raise ValueError("expected at least one letter")
    return text


def _money(given: object) -> Money:
    if isinstance(given, Money):
        return given
    if not isinstance(given, str):
        raise ValueError("expected an amount with its currency, such as 19,99 € or $19.99")
    return money(given)


Line = Annotated[str, AfterValidator(_plain), AfterValidator(_worded), Field(min_length=1, max_length=300)]
Name = Annotated[str, AfterValidator(_plain), AfterValidator(_worded), Field(min_length=1, max_length=80)]
Price = Annotated[Money, BeforeValidator(_money), WithJsonSchema({"type": "string", "examples": ["19,99 €"]})]
_STRICT = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Claim(BaseModel):
    """What may be claimed, and what proves it."""

    model_config = _STRICT

    text: Line
    evidence: Line


class Sheet(BaseModel):
    """What is true of a product.

    Attributes:
        trade: some rules are of one trade.
        price, list_price: as written in any market: `19,99 €`, `€19.99`, `EUR 19.99`. `list_price` is the one before.
        free: what costs nothing: `shipping`, `returns`.
        offer_ends: last day of the offer.
        claims: superlatives, comparisons and effects that are proved.
    """

    model_config = _STRICT

    name: Name
    brand: Name
    kind: Name = Field(description="What it is, in the language of the copy: running shoe, Laufschuh.")
    trade: Trade = "general"
    price: Price | None = None
    list_price: Price | None = None
    features: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
    free: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    offer_ends: date | None = None
    stock: Annotated[int, Field(ge=0)] | None = None
    claims: Annotated[tuple[Claim, ...], Field(max_length=20)] = ()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each field that says something, by its path, as text."""
        for field in ("name", "brand", "kind", "price", "list_price", "offer_ends", "stock"):
            value = getattr(self, field)
            if value is not None:
                yield field, str(value)
        for field in ("features", "free"):
            yield from ((f"{field}.{place}", text) for place, text in enumerate(getattr(self, field)))
        yield from ((f"claims.{place}.text", one.text) for place, one in enumerate(self.claims))


class Brief(BaseModel):
    """What the copy is for. `notes` are read by the drafter alone; they are data and change no rule.

    Attributes:
        language: default: that of the market.
        avoid: words that the brand never uses.
        competitors: their names are third-party marks.
        political_declaration: the declaration that platforms ask of political advertising was made.
    """

    model_config = _STRICT

    market: Market = "us"
    language: Language | None = None
    goal: Line | None = None
    audiences: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    tone: Tone = "neutral"
    avoid: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    competitors: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    political_declaration: bool = False
    formats: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)] = ("google.search", "email")
    count: Annotated[int, Field(ge=1, le=20)] = 10
    notes: Annotated[str, AfterValidator(_plain), Field(max_length=2000)] = ""

    @property
    def written_in(self) -> Language:
        """The language of the copy."""
        return self.language or LANGUAGE[self.market]


def read_sheet(path: Path) -> tuple[Sheet, dict[str, int]]:
    """A sheet, and the line of each field by its path. Raises `InvalidFile`."""
    found, lines = read(path)
    return parsed(Sheet, found, lines, path.name), lines


def read_brief(path: Path, **changed: Any) -> Brief:
    """A brief; `changed` replaces fields. Raises `InvalidFile`."""
    found, lines = read(path)
    return parsed(Brief, found | changed, lines, path.name)


def read_copy(path: Path) -> dict[str, list[str]]:
    """Texts by their `format.part`. Raises `InvalidFile`."""
    found, lines = read(path)
    copy = {}
    for part, texts in found.items():
        several = [texts] if isinstance(texts, str) else texts
        if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
            raise InvalidFile(f"{path.name}, line {lines[part]}: {part}: expected a list of texts")
        copy[str(part)] = several
    return copy
