"""Reads what the endpoint is asked; what it refuses is told by field, what was expected there, and what came."""

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
    """A body that is no JSON."""


class Invalid(ValueError):
    """A value that a request may not have: which field, what was expected there, and what came."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got)
        self.field, self.expected, self.got = field, expected, shown if len(shown) <= 80 else f"{shown[:77]}..."
        super().__init__(f"{field}: expected {expected}, got {self.got}")


class RequestReader(Generic[Read]):
    """Reads requests of one type of `schemas`.

    Args:
        tagged: the types of a tagged union in it, by tag.
    """

    def __init__(self, kind: Any, tagged: Mapping[str, Any] | None = None) -> None:
        self._adapter: TypeAdapter[Read] = TypeAdapter(kind)
        self._fields = {tag: ", ".join(_fields(one)) for tag, one in (tagged or {"": kind}).items()}

    def read(self, given: object, where: str = "") -> Read:
        """The request. Raises `Invalid` for the first field that is wrong; `where` is what its name begins with."""
        try:
            return self._adapter.validate_python(given)
        except ValidationError as broken:
            fault = broken.errors(include_url=False)[0]
            if fault["type"].startswith("union_tag"):
                fault["loc"] = (*fault["loc"], "kind")
            field, got = _place(given, fault["loc"], missing=fault["type"] in _MISSING)
            named = f"{where}.{field}" if where and field != "body" else where or field
            raise Invalid(named, self._expected(field, fault), got) from broken

    def _expected(self, field: str, fault: Mapping[str, Any]) -> str:
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            tag = next((str(part) for part in fault["loc"] if part in self._fields), "")
            return f"one of the fields {self._fields.get(tag, ', '.join(_BATCHES))}"
        if "features." in field and fault["loc"][-1] != "[key]":  # it may be of several types: pydantic tells one
            return "a number, text of at most 1024 characters, true, false or null"
        if fault["type"] == "string_pattern_mismatch" and fault["loc"][-1] == "[key]":
            return "names of 1 to 256 characters, without control characters"
        said = _EXPECTED.get(fault["type"])
        return said.format(**fault.get("ctx", {})) if said else str(fault["msg"]).removeprefix("Input should be ")


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
WORD: RequestReader[schemas.Word] = RequestReader(schemas.Word)


def parsed(body: bytes) -> Any:
    """The body's JSON. Raises `NotJson`, also for JSON nested deeper than anything that is asked here."""
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
    """One thing to decide, by the kind that it says it is of."""
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


def _outcome(said: Mapping[str, Any]) -> Outcome:
    if "labels" in said:
        return Labels(said["family"], said["request_id"], said.get("row", 0), said["labels"])
    return Observed(**said)


def stop(given: Any) -> schemas.Stop:
    """What to stop. Raises `Invalid`."""
    said = STOP.read(given)
    if said.get("campaign_id") is not None and said.get("account_id") is None:
        raise Invalid("account_id", "the account of the campaign", None)
    return said


def terms(said: schemas.Campaign) -> CampaignSettings:
    """What a request sets of a campaign; what it does not name is kept."""
    named = {name: value for name, value in said.items() if name not in ("account_id", "campaign_id")}
    return CampaignSettings(**cast(dict[str, Any], named))


def _place(given: object, loc: tuple[int | str, ...], missing: bool) -> tuple[str, object]:
    """A field's name as a reader writes it, and what came there; pydantic also names the types that it tried."""
    name, found = "", given
    for at, part in enumerate(loc, 1):
        if isinstance(found, dict) and part in found:
            name, found = f"{name}.{part}" if name else str(part), found[part]
        elif isinstance(found, list) and isinstance(part, int):
            name, found = f"{name}[{part}]", found[part]
        elif missing and at == len(loc):
            name, found = f"{name}.{part}" if name else str(part), None
    return name[:200] or "body", found
