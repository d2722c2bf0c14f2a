"""What leaves for Meta and cannot be changed there: conversions and the members of audiences, hashed."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from serving.integrations.change import Change, Fields

_HASH = re.compile("[0-9a-f]{64}")


def hashed(text: str) -> str:
    """SHA-256 of the text without spaces around it and in lower case, as Meta matches people by; a hash as it is."""
    plain = text.strip().lower()
    return plain if _HASH.fullmatch(plain) else hashlib.sha256(plain.encode()).hexdigest()


def hashed_phone(number: str) -> str:
    """SHA-256 of the digits of a number with its country's code."""
    return hashlib.sha256("".join(filter(str.isdigit, number)).lstrip("0").encode()).hexdigest()


_PEOPLE = (("em", "email", hashed), ("ph", "phone", hashed_phone), ("external_id", "customer_id", hashed))


def server_event(change: Change) -> dict[str, Any]:
    """A conversion. Meta counts an `event_id` once, however often it comes within 48 hours."""
    said = change.fields
    user: dict[str, Any] = {}
    for name, field, hashing in (
        ("em", "email", hashed),
        ("ph", "phone", hashed_phone),
        ("external_id", "customer_id", hashed),
    ):
        if said.get(field):
            user[name] = [hashing(said[field])]
    custom = {name: said[name] for name in ("value", "currency", "order_id") if name in said}
    event = {
        "event_name": said["event"],
        "event_time": int(datetime.fromisoformat(said["occurred_at"]).timestamp()),
        "event_id": change.marker,
        "action_source": "website" if said.get("url") else "system_generated",
        "user_data": user,
        "custom_data": custom,
    }
    return {**event, "event_source_url": said["url"]} if said.get("url") else event


def members(fields: Fields) -> Mapping[str, Any]:
    """The payload that adds people to an audience: who is in it already stays in it once."""
    return {"schema": ["EMAIL"], "data": [[hashed(one)] for one in _texts(fields["emails"])]}


def _texts(said: Iterable[Any]) -> list[str]:
    return [str(one) for one in said]
