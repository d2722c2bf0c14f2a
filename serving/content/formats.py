"""The formats of platforms: their parts, and the limits of each, counted as the platform counts."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from features.yaml_file import from_yaml

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Part(BaseModel):
    """A part of a format.

    Attributes:
        limit: characters at most, as `Format.counts` counts.
        wanted: how many different ones an ad takes; None: as many as the brief asks.
        like: the part whose templates fit it; None: its own.
    """

    model_config = _STRICT

    limit: Annotated[int, Field(ge=1)]
    at_least: Annotated[int, Field(ge=0)] = 0
    wanted: Annotated[int, Field(ge=1)] | None = None
    like: str | None = None


class Format(BaseModel):
    """A format of a platform, as its source tells it at a date.

    Attributes:
        counts: `double_width`: characters of double width are two (Google); `utf16`: UTF-16 code units; `characters`:
            what a reader sees as one character is one.
        pictures: the formats of `serving/images/formats.yaml` that its picture may have; empty: it has none.
    """

    model_config = _STRICT

    id: str
    source: str
    date: str
    counts: Literal["double_width", "utf16", "characters"] = "characters"
    parts: dict[str, Part]
    pictures: tuple[str, ...] = ()

    def length(self, text: str) -> int:
        """The length of a text as the platform counts it."""
        if self.counts == "double_width":
            return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
        if self.counts == "utf16":
            return len(text.encode("utf-16-le")) // 2
        return sum(not unicodedata.combining(sign) and sign not in "\u200d\ufe0f" for sign in text)


@cache
def formats() -> dict[str, Format]:
    """All formats by their ids."""
    found = from_yaml(Path(__file__).with_name("formats.yaml").read_text())
    return {one["id"]: Format.model_validate(one) for one in found}
