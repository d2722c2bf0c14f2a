"""What the assistant knows of a shop: its product sheets and facts. Amounts are told as the sheet writes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.settings import Settings
from serving.conversations.rules import Language

#: Bytes of a file, and products of a shop, at most.
SIZE, MOST = 256 * 1024, 10_000
_AMOUNT = re.compile(r"\d[\d.,' \u00a0\u202f]*")
Line = Annotated[str, Field(min_length=1, max_length=300)]


class Product(BaseModel):
    """A product sheet; further fields of it are for other readers.

    Attributes:
        price: as it is told to customers: `19,99 €`, `$19.99`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=80)]
    brand: str = ""
    kind: str = ""
    price: Annotated[str, Field(pattern=r"\d", max_length=40)] | None = None
    list_price: Annotated[str, Field(pattern=r"\d", max_length=40)] | None = None
    features: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    stock: Annotated[int, Field(ge=0)] | None = None

    @cached_property
    def amount(self) -> Decimal | None:
        """The price as a number, to compare prices by."""
        found = _AMOUNT.search(self.price or "")
        if found is None:
            return None
        whole, cents = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", found[0].strip(" .,'\u00a0\u202f")).groups()  # type: ignore[union-attr]
        return Decimal(f"{re.sub(r'[^0-9]', '', whole)}.{cents or '0'}")

    @property
    def words(self) -> frozenset[str]:
        """The words of what it is and has."""
        return words(" ".join((self.name, self.brand, self.kind, *self.features)))


class InvalidShop(ValueError):
    """A file that is no product sheet or no list of facts: the file, the field and what was expected."""


@dataclass(frozen=True)
class Shop:
    """Products, and facts by name and language: `delivery`, `payment`, `discount`."""

    products: tuple[Product, ...] = ()
    facts: dict[str, dict[Language, str]] | None = None

    def fact(self, name: str, language: Language) -> str | None:
        """A fact, None where the shop does not tell it in this language."""
        return (self.facts or {}).get(name, {}).get(language)

    def product(self, name: str) -> Product | None:
        """The product with this name."""
        return next((one for one in self.products if one.name == name), None)

    def named(self, text: str) -> list[tuple[int, Product]]:
        """The products named in a text, with where: the longest names first; by kind where only one is of it."""
        found: list[tuple[int, int, Product]] = []
        kinds = [one.kind.casefold() for one in self.products]
        for one in sorted(self.products, key=lambda one: -len(one.name)):
            unique = one.kind and kinds.count(one.kind.casefold()) == 1
            for name in (one.name, *([one.kind] if unique else [])):
                hit = re.search(rf"(?<!\w){re.escape(name)}(?:s|es|e|n|en)?(?!\w)", text, re.IGNORECASE)
                if hit and not any(start <= hit.start() < end for start, end, _ in found):
                    found.append((hit.start(), hit.end(), one))
                    break
        return [(start, one) for start, _, one in sorted(found, key=lambda hit: hit[0])]

    def without_names(self, text: str) -> str:
        """The text without the names of products, which may be in another language."""
        for one in self.products:
            text = re.sub(rf"(?<!\w){re.escape(one.name)}(?!\w)", " ", text, flags=re.IGNORECASE)
        return text

    def best(self, text: str) -> Product | None:
        """The product in stock whose words are most in a text; the first of equals. None where nothing is in stock."""
        wanted = words(text)
        there = [one for one in self.products if one.stock != 0]
        return max(there, key=lambda one: len(wanted & one.words), default=None)

    def cheaper(self, than: Product) -> Product | None:
        """The dearest product of the same kind that costs less and is in stock."""
        below = [
            one
            for one in self.products
            if one.kind == than.kind and one.stock != 0 and one.amount and than.amount and one.amount < than.amount
        ]
        return max(below, key=lambda one: one.amount or Decimal(0), default=None)


def words(text: str) -> frozenset[str]:
    """The words of four letters or more, by their first six."""
    return frozenset(word[:6] for word in re.findall(r"\w{4,}", text.casefold()))


def shop(settings: Settings) -> Shop:
    """The shop in the folder `ADLOOP_SHOP`, by default `shop` under the home: `products/*.yaml` and `facts.yaml`."""
    return read_shop(settings.shop or settings.home / "shop")


def read_shop(folder: Path) -> Shop:
    """Read a shop; an empty one where the folder does not exist. Raises `InvalidShop`."""
    files = sorted((folder / "products").glob("*.yaml"))
    if len(files) > MOST:
        raise InvalidShop(f"{folder / 'products'}: expected at most {MOST} products, got {len(files)}")
    facts = folder / "facts.yaml"
    return Shop(tuple(_products(files)), _checked(_Facts, facts).facts if facts.is_file() else None)


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facts: dict[str, dict[Language, Annotated[str, Field(min_length=1, max_length=500)]]]


def _products(files: list[Path]) -> Iterator[Product]:
    names: dict[str, Path] = {}
    for file in files:
        product = _checked(Product, file)
        if product.name in names:
            raise InvalidShop(f"{file.name}: name: expected another one than that of {names[product.name].name}")
        names[product.name] = file
        yield product


def _checked(kind: Any, file: Path) -> Any:
    if file.stat().st_size > SIZE:
        raise InvalidShop(f"{file.name}: expected at most {SIZE} bytes")
    try:
        return kind.model_validate(yaml.safe_load(file.read_text("utf-8-sig")))
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise InvalidShop(f"{file.name}: expected YAML in UTF-8") from broken
    except ValidationError as broken:
        first = broken.errors(include_url=False)[0]
        raise InvalidShop(f"{file.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from broken
