"""The Email Activity Feed: which e-mails were sent for which changes."""

import json
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from serving.integrations.change import Change
from serving.integrations.sendgrid.calls import SendGridCalls
from serving.integrations.sendgrid.message import MARKER

#: Markers of one query, whose address stays below 8 KB.
_MARKERS = 50


def sent(calls: SendGridCalls, changes: Sequence[Change]) -> dict[str, str]:
    """Ids of e-mails by `change_id`. One call for fifty changes, and one more for each of several to one address: the
    feed lists addresses but not arguments."""
    found = dict[str, str]()
    for start in range(0, len(changes), _MARKERS):
        found |= _among(calls, changes[start : start + _MARKERS])
    return found


def _among(calls: SendGridCalls, changes: Sequence[Change]) -> dict[str, str]:
    query = " OR ".join(f"(unique_args['{MARKER}']=\"{change.marker}\")" for change in changes)
    listed = (calls.ask("get", "messages", {"query": query, "limit": 1000}).body or {}).get("messages", [])
    asked = Counter(_address(change) for change in changes)
    by_address = {_address(change): change.change_id for change in changes}
    by_marker = {change.marker: change.change_id for change in changes}
    found = dict[str, str]()
    for message in listed:
        address, place = str(message["to_email"]).casefold(), str(message["msg_id"])
        if asked[address] == 1:
            change_id = by_address[address]
        else:
            told = calls.ask("get", f"messages/{quote(place, safe='')}").body or {}
            change_id = by_marker.get(str(_arguments(told.get("unique_args")).get(MARKER)), "")
        if change_id:
            found[change_id] = place.partition(".")[0]
    return found


def _address(change: Change) -> str:
    return str(change.fields.get("to", "")).casefold()


def _arguments(told: object) -> dict[str, str]:
    """Arguments of a message; the feed gives them as JSON in a text."""
    found = json.loads(told) if isinstance(told, str) and told else told
    return found if isinstance(found, dict) else {}
