"""The brand list: whom to listen for, and what is no mention of them. One YAML file, written by people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.clock import known

Text = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[tuple[Text, ...], Field(max_length=200)]


class Brand(BaseModel):
    """A brand or a competitor.

    Attributes:
        aliases: further names it is mentioned by, such as a handle, a product, a ticker.
        context: words that only texts about the brand have, such as `iphone`.
        mentions, others: texts that mention the brand, and texts that have its name and mean something else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^/\x00-\x1f]+$")]
    aliases: Texts = ()
    context: Texts = ()
    mentions: Texts = ()
    others: Texts = ()

    @field_validator("aliases", "context", "mentions", "others", mode="before")
    @classmethod
    def _listed(cls, values: Any) -> Any:
        return tuple(values) if isinstance(values, list) else values

    @property
    def is_ambiguous(self) -> bool:
        """Whether the list says how to tell it from other things of its name."""
        return bool(self.context or self.mentions or self.others)


class Brands(BaseModel):
    """The brand list.

    Attributes:
        zone: IANA time zone whose week has the rhythm of the posts; UTC without one.
        alarms_per_month: most false alarms of a brand in a month, on average.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    zone: str | None = None
    alarms_per_month: Annotated[float, Field(gt=0, le=30)] = 1.0
    brands: Annotated[tuple[Brand, ...], Field(min_length=1, max_length=200)]
    competitors: Annotated[tuple[Brand, ...], Field(max_length=200)] = ()

    @field_validator("alarms_per_month", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("brands", "competitors", mode="before")
    @classmethod
    def _listed(cls, values: Any) -> Any:
        return tuple(values) if isinstance(values, list) else values

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str | None) -> str | None:
        if not known(zone):
            raise ValueError("expected an IANA time zone such as Europe/Berlin")
        return zone

    @model_validator(mode="after")
    def _names_differ(self) -> "Brands":
        names = [one.name.casefold() for one in self.all]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"names: expected each brand once, got '{twice}' twice")
        return self

    @property
    def all(self) -> Sequence[Brand]:
        """Brands, then competitors."""
        return (*self.brands, *self.competitors)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.all)


class BadBrands(ValueError):
    """The brand list is missing or invalid; names the field, what was expected and what was found."""


def load(file: Path) -> Brands:
    """Read a brand list. Raises `BadBrands`."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as broken:
        raise BadBrands(f"{file}: expected a brand list in YAML (docs/texts.md shows one): {broken}") from broken
    try:
        return Brands.model_validate(written)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        got = repr(first.get("input"))[:80]
        raise BadBrands(f"{file}: {field}: {first['msg'].removeprefix('Value error, ')}, got {got}") from invalid
