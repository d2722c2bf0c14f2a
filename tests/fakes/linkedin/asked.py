"""How Rest.li asks: queries, lists and pages."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

_LISTED = re.compile(r"List\(([^()]*)\)")


def query(request: Request) -> dict[str, str]:
    """The raw query: Rest.li's brackets mean something, escaped ones do not."""
    return parsed(request.scope["query_string"].decode())


def parsed(said: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in said.split("&") if "=" in part)


def listed(said: str) -> list[str]:
    found = _LISTED.search(said)
    return [unquote(one) for one in found.group(1).split(",") if one] if found else []


def by_count(found: list[dict[str, Any]], asked: Mapping[str, str]) -> dict[str, Any]:
    start, count = int(asked.get("start", "0")), int(asked.get("count", "10"))
    return {"elements": found[start : start + count], "paging": {"start": start, "count": count, "links": []}}
