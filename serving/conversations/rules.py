"""The rules and replies of the assistant: data, parsed once."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, TypeAdapter

from features.yaml_file import from_yaml

Language = Literal["en", "de"]
SlotName = Literal["product", "order", "date", "quantity", "email"]
Share = Annotated[float, Field(ge=0, le=1)]
_STRICT = ConfigDict(frozen=True, extra="forbid")
_HERE = Path(__file__).parent


class Thresholds(BaseModel):
    """When the assistant is sure.

    Attributes:
        confidence, in_scope: least of both for an intent to be acted on.
        unsure_turns: turns in a row below them, after which a person takes over.
        negative, sure: sentiment at most, and its confidence at least, that hand over to a person.
    """

    model_config = _STRICT

    confidence: Share
    in_scope: Share
    unsure_turns: PositiveInt
    negative: Annotated[float, Field(ge=-1, le=0)]
    sure: Share


class Intent(BaseModel):
    """What is done for an intent.

    Attributes:
        slots: what it needs.
        action: it is passed on to the shop's systems, once its slots are known.
        confirm: only after a yes.
        person: a person takes over.
        fact: it is answered by a fact of the shop.
        ends: the conversation is over.
    """

    model_config = _STRICT

    slots: tuple[SlotName, ...] = ()
    action: bool = False
    confirm: bool = False
    person: bool = False
    fact: str | None = None
    ends: bool = False


class Rules(BaseModel):
    """See `rules.yaml`."""

    model_config = _STRICT

    thresholds: Thresholds
    upset: tuple[str, ...]
    longest: PositiveInt
    words_of_a_slot: PositiveInt
    remembered_turns: PositiveInt
    kept_days: PositiveInt
    large: PositiveInt
    soon_days: PositiveInt
    valued: NonNegativeFloat
    person: tuple[str, ...]
    agreement: tuple[str, ...]
    refusal: tuple[str, ...]
    correction: tuple[str, ...]
    intents: dict[str, Intent]
    lead: dict[str, int]
    grades: dict[str, int]


@cache
def rules() -> Rules:
    """The rules."""
    return Rules.model_validate(from_yaml((_HERE / "rules.yaml").read_text("utf-8")))


@cache
def replies() -> dict[str, dict[Language, str]]:
    """The replies by name and language."""
    told = from_yaml((_HERE / "replies.yaml").read_text("utf-8"))
    return TypeAdapter(dict[str, dict[Language, str]]).validate_python(told)


def says(text: str, phrases: tuple[str, ...], where: Literal["anywhere", "first", "all"] = "anywhere") -> bool:
    """Whether one of the phrases is in the text, as whole words: anywhere, at its start, or as all of its words."""
    words = " ".join(re.findall(r"\w+", text.casefold()))
    if where == "all":
        return words in phrases
    start = "^" if where == "first" else r"\b"
    return any(re.search(rf"{start}{re.escape(phrase)}\b", words) for phrase in phrases)
