"""Types of request fields, validated once, strictly: text is not a number."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict, StringConstraints

#: Largest single amount of money.
MOST = 1e8
#: The end of the year 9999 in Unix seconds.
_LATEST = 253402300799.0
#: No control characters, as ids are part of store keys and log lines.
PLAIN = r"^[^\x00-\x1f\x7f]*$"


def whole(value: object) -> object:
    """JSON has one number type: 5.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bounded(least: float, most: float, description: str) -> Any:
    return Field(ge=least, le=most, allow_inf_nan=False, strict=True, description=description)


Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=PLAIN, strict=True)]
#: A name as a key of an object. JSON Schema describes keys by a pattern only, so the length is part of it.
Key = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,256}$")]
#: JSON Schema: no keys but those of the pattern.
CLOSED: dict[str, Any] = {"additionalProperties": False}
Why = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PLAIN, strict=True)]
Amount = Annotated[float, _bounded(0, MOST, "In the account's currency.")]
ConversionValue = Annotated[float, _bounded(-MOST, MOST, "In the account's currency; negative for a refund.")]
Nothing = Annotated[float, _bounded(0, 0, "None: 0.")]
Moment = Annotated[float, _bounded(0, _LATEST, "Unix seconds.")]
Rate = Annotated[float, _bounded(0, 1, "A share, from 0 to 1.")]
Hour = Annotated[int, Field(ge=0, le=23, strict=True), BeforeValidator(whole)]
_Text = Annotated[str, StringConstraints(max_length=1024, strict=True)]
_Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Vector = Annotated[list[_Finite], Field(min_length=1, max_length=4096)]
Feature = _Text | Annotated[bool, Strict()] | Annotated[int, Strict()] | Annotated[float, Strict()] | _Vector | None
LabelValue = _Text | Annotated[bool, Strict()] | _Finite
Features = Annotated[
    dict[Annotated[str, StringConstraints(max_length=128, strict=True)], Feature], Field(max_length=512)
]
