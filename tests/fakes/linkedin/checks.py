"""What LinkedIn refuses, in both forms of its errors."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.fakes.linkedin.state import URN, LinkedInState

_REQUIRED = {
    "adCampaignGroups": ("account", "name", "status", "runSchedule"),
    "adCampaigns": (
        *("account", "campaignGroup", "name", "type", "costType", "locale", "targetingCriteria", "runSchedule"),
        *("offsiteDeliveryEnabled", "politicalIntent"),
    ),
    "creatives": ("campaign", "content", "intendedStatus"),
    "posts": ("author", "commentary", "visibility", "distribution", "lifecycleState"),
    "dmpSegments": ("account", "name", "type", "destinations", "sourcePlatform"),
}
_STATUSES = ("ACTIVE", "ARCHIVED", "CANCELED", "DRAFT", "PAUSED", "PENDING_DELETION", "REMOVED")
_LONGEST = {"adCampaignGroups": 100}


def old(status: int, message: str, code: int = 100) -> dict[str, Any]:
    """An error as most of the API writes it."""
    return {"message": message, "serviceErrorCode": code, "status": status}


def new(path: str, code: str, description: str) -> dict[str, Any]:
    """An error as the collections of ads write it."""
    wrong = {"description": description, "input": {"inputPath": {"fieldPath": path}}, "code": code}
    return {
        "status": 400,
        "code": "INVALID_ARGUMENT",
        "message": "The request has invalid fields",
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "errorDetails": {"inputErrors": [wrong]},
    }


def created(state: LinkedInState, collection: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is wrong with a new object."""
    missing = next((name for name in _REQUIRED[collection] if name not in body), None)
    if missing:
        return new(missing, "MISSING_REQUIRED_FIELD", f"{missing} is required")
    if body.get("account", URN) != URN:
        return old(403, "Not enough permissions to access this account", 100)
    if collection == "adCampaigns" and not body["targetingCriteria"].get("include", {}).get("and"):
        return new("targetingCriteria/include", "MISSING_REQUIRED_FIELD", "locations are required")
    for name, parents in (("campaignGroup", "adCampaignGroups"), ("campaign", "adCampaigns")):
        if name in body and body[name].rsplit(":", 1)[-1] not in state.kept[parents]:
            return new(name, "INVALID_VALUE", f"{body[name]} does not exist")
    return values(collection, body)


def values(collection: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is wrong with the values that are set."""
    for name in ("dailyBudget", "totalBudget", "unitCost"):
        if name in body and not _positive(body[name]):
            return new(f"{name}/amount", "FIELD_VALUE_TOO_LOW", f"{name} must be positive")
    if len(body.get("name", "")) > _LONGEST.get(collection, 255):
        return new("name", "FIELD_LENGTH_TOO_LONG", "name is too long")
    for name in ("status", "intendedStatus"):
        if name in body and body[name] not in _STATUSES:
            return new(name, "INVALID_VALUE", f"{body[name]} is no status")
    schedule = body.get("runSchedule", {})
    if schedule and "start" not in schedule:
        return new("runSchedule/start", "MISSING_REQUIRED_FIELD", "start is required")
    if schedule.get("end", schedule.get("start", 0)) < schedule.get("start", 0):
        return new("runSchedule/end", "INVALID_VALUE", "end must be after start")
    return None


def _positive(money: Mapping[str, Any]) -> bool:
    """Amounts are decimals as text, in the account's currency."""
    try:
        return isinstance(money["amount"], str) and Decimal(money["amount"]) > 0 and money["currencyCode"] == "EUR"
    except (InvalidOperation, KeyError):
        return False
