"""Parses requests; errors name the field, the expected value and the value received."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from serving.decisions.api import schemas
from serving.decisions.feedback import Observed
from serving.decisions.kinds import kinds
from serving.decisions.records import Opportunity
from serving.decisions.state.store import CampaignSettings
from serving.inference.outcomes import Labels

Read = TypeVar("Read")
Outcome = Observed | Labels


class NotJson(ValueError):
    """The body is not JSON."""


class Invalid(ValueError):
    """An invalid value: the field, what was expected, and what was received."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got)
        self.field, self.expected, self.got = field, expected, shown if len(shown) <= 80 else f"{shown[:77]}..."
        super().__init__(f"{field}: expected {expected}, got {self.got}")


class RequestReader(Generic[Read]):
    """Parses requests of one type of `schemas`.

    Args:
        tagged: the types of a tagged union in it, by tag.
    """

    def __init__(self, kind: Any, tagged: Mapping[str, Any] | None = None) -> None:
        self._adapter: TypeAdapter[Read] = TypeAdapter(kind)
        self._fields = {tag: ", ".join(_fields(one)) for tag, one in (tagged or {"": kind}).items()}

    def read(self, given: object, where: str = "") -> Read:
        """Parse a request. Raises `Invalid` for the first invalid field; `where` is the prefix of its name."""
        try:
            return self._adapter.validate_python(given)
        except ValidationError as broken:
            fault = broken.errors(include_url=False)[0]
            if fault["type"].startswith("union_tag"):
                fault["loc"] = (*fault["loc"], "kind")
            field, got = _locate(given, fault["loc"], missing=fault["type"] in _MISSING)
            named = f"{where}.{field}" if where and field != "body" else where or field
            raise Invalid(named, self._expected(field, fault), got) from broken

    def _expected(self, field: str, fault: Mapping[str, Any]) -> str:
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            tag = next((str(part) for part in fault["loc"] if part in self._fields), "")
            return f"one of the fields {self._fields.get(tag, ', '.join(_BATCHES))}"
        of_features = "features." in field or field.startswith("candidates.")
        if of_features and fault["loc"][-1] != "[key]":  # pydantic names only one of the permitted types
            return "a number, text of at most 1024 characters, true, false, a list of 1 to 4096 numbers or null"
        if fault["type"] == "string_pattern_mismatch" and fault["loc"][-1] == "[key]":
            return "names of 1 to 256 characters, without control characters"
        template = _EXPECTED.get(fault["type"])
        return (
            template.format(**fault.get("ctx", {})) if template else str(fault["msg"]).removeprefix("Input should be ")
        )


def _fields(kind: Any) -> list[str]:
    return [one.name for one in fields(kind)] if is_dataclass(kind) else list(kind.__annotations__)


_MISSING = ("missing", "union_tag_not_found")
_EXPECTED = {
    **dict.fromkeys(_MISSING, "a value"),
    "union_tag_invalid": "one of {expected_tags}",
    "string_type": "text",
    "string_pattern_mismatch": "text without control characters",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "float_type": "a number",
    "int_type": "a whole number",
    "finite_number": "a finite number",
    "greater_than_equal": "a number of at least {ge}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "{expected}",
    "dict_type": "an object",
    "dataclass_type": "an object",
    "list_type": "a list",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entry",
}

_OPPORTUNITIES: RequestReader[dict[str, list[Any]]] = RequestReader(schemas.opportunities(Any))
_OUTCOME: RequestReader[dict[str, Any]] = RequestReader(schemas.Outcome, schemas.KINDS)
_BATCHES: dict[str, RequestReader[dict[str, list[Any]]]] = {
    "outcomes": RequestReader(schemas.Outcomes, schemas.KINDS),
    "events": RequestReader(schemas.Events, schemas.KINDS),
}
CAMPAIGN: RequestReader[schemas.Campaign] = RequestReader(schemas.Campaign)
ACCOUNT: RequestReader[schemas.Account] = RequestReader(schemas.Account)
STOP: RequestReader[schemas.Stop] = RequestReader(schemas.Stop)
OVERRIDE: RequestReader[schemas.ManualOverride] = RequestReader(schemas.ManualOverride)


def parsed(body: bytes) -> Any:
    """Parse JSON. Raises `NotJson`, also for deeper nesting than the parser supports."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise NotJson(f"the body is not JSON: {broken}") from broken


def opportunities(given: Any) -> tuple[list[Opportunity], bool]:
    """The opportunities of a request, and whether it was a batch. Raises `Invalid`."""
    if not (isinstance(given, dict) and "opportunities" in given):
        return [_opportunity(given, "")], False
    several = _OPPORTUNITIES.read(given)["opportunities"]
    return [_opportunity(one, f"opportunities[{place}]") for place, one in enumerate(several)], True


def _opportunity(given: Any, where: str) -> Opportunity:
    """Parse one opportunity of the kind that it names."""
    asked = given.get("asked", "bid") if isinstance(given, dict) else "bid"
    if not isinstance(asked, str) or asked not in kinds():
        raise Invalid(f"{where}.asked" if where else "asked", f"one of {', '.join(map(repr, kinds()))}", asked)
    return _reader(asked).read(given, where)


@cache
def _reader(asked: str) -> RequestReader[Opportunity]:
    return RequestReader(kinds()[asked].request)


def outcomes(given: Any) -> list[Outcome]:
    """The outcomes of a request: one, or a list named `outcomes` or `events`. Raises `Invalid`."""
    batch = next((name for name in _BATCHES if isinstance(given, dict) and name in given), None)
    found = [_OUTCOME.read(given)] if batch is None else _BATCHES[batch].read(given)[batch]
    return [_outcome(one) for one in found]


def _outcome(values: Mapping[str, Any]) -> Outcome:
    if "labels" in values:
        return Labels(values["family"], values["request_id"], values.get("row", 0), values["labels"])
    return Observed(**values)


def stop(given: Any) -> schemas.Stop:
    """Parse a stop. Raises `Invalid`."""
    values = STOP.read(given)
    if values.get("campaign_id") is not None and values.get("account_id") is None:
        raise Invalid("account_id", "the account of the campaign", None)
    return values


def campaign_settings(values: schemas.Campaign) -> CampaignSettings:
    """The campaign settings of a request; omitted fields stay unchanged."""
    named = {name: value for name, value in values.items() if name not in ("account_id", "campaign_id")}
    return CampaignSettings(**cast(dict[str, Any], named))


def _locate(given: object, loc: tuple[int | str, ...], missing: bool) -> tuple[str, object]:
    """The name and received value of a field; skips the types that pydantic adds to the location."""
    name, found = "", given
    for at, part in enumerate(loc, 1):
        if isinstance(found, dict) and part in found:
            name, found = f"{name}.{part}" if name else str(part), found[part]
        elif isinstance(found, list) and isinstance(part, int):
            name, found = f"{name}[{part}]", found[part]
        elif missing and at == len(loc):
            name, found = f"{name}.{part}" if name else str(part), None
    return name[:200] or "body", found
