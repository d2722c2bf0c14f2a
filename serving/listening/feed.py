"""Reads mentions from an RSS or Atom feed. What a feed tells again is known by its id and counted once."""

import calendar
import html
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from features.certificates import trusted

#: Largest feed in bytes, and seconds to wait for it.
LARGEST, WAIT_S = 16 << 20, 30.0
_TAG = re.compile(r"<[^<>]{0,2000}>")


class FeedUnavailable(RuntimeError):
    """The feed did not answer, or what it answered is no feed."""


def fetch(url: str) -> list[dict[str, Any]]:
    """The entries of a feed as rows of `mentions`. Raises `FeedUnavailable`."""
    import httpx

    body = bytearray()
    try:
        with httpx.stream("GET", url, timeout=WAIT_S, follow_redirects=True, verify=trusted()) as response:
            response.raise_for_status()
            for part in response.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise FeedUnavailable(f"{url}: expected at most {LARGEST >> 20} MiB")
    except httpx.HTTPError as wrong:
        raise FeedUnavailable(f"{url}: {wrong}") from wrong
    return entries(bytes(body), url)


def entries(body: bytes, url: str) -> list[dict[str, Any]]:
    """The entries of a feed's document. Raises `FeedUnavailable` where it is none."""
    import feedparser

    # As bytes in a stream: feedparser would take a text for an address, and fetch it.
    found = feedparser.parse(body)
    if not found.version:
        raise FeedUnavailable(f"{url}: expected an RSS or Atom feed, got {body[:60]!r}")
    source = urlsplit(url).hostname or url
    return [_row(entry, source) for entry in found.entries]


def _row(entry: Mapping[str, Any], source: str) -> dict[str, Any]:
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    parts = dict.fromkeys(_plain(str(entry.get(name, ""))) for name in ("title", "summary"))
    return {
        "text": ". ".join(part for part in parts if part),
        "occurred_at": float(calendar.timegm(when)) if when else time.time(),
        "mention_id": str(entry.get("id") or entry.get("link") or "")[:500] or None,
        "author": str(entry.get("author", ""))[:500] or None,
        "source": source,
        "url": str(entry.get("link", ""))[:500] or None,
    }


def _plain(text: str) -> str:
    """A text without markup."""
    return html.unescape(_TAG.sub(" ", text)).strip()
