"""One mention: a post of a row of the canonical table `mentions`, checked and cleaned."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from features.masking import masked
from features.tables import SPECS

#: Characters of a text that are kept; a longer text than `REFUSED` is no post.
KEPT, REFUSED = 4_000, 100_000
#: Characters of any other field.
SHORT = 500
#: Clocks may be ahead of ours by so many seconds.
AHEAD_S = 86_400.0
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
#: Characters that change how other text is shown: controls but for tabs and line ends, and marks that override the
#: direction of writing.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
_SEPARATED = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


class Refused(ValueError):
    """A row is no mention; names the field, what was expected and what was found."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        shown = repr(got)
        self.field, self.expected, self.got = field, expected, shown if len(shown) <= 60 else f"{shown[:57]}..."
        super().__init__(f"{field}: expected {expected}, got {self.got}")


@dataclass(frozen=True)
class Mention:
    """A post.

    Attributes:
        id: equal for the same post told again.
        text: without control characters, personal data masked, at most `KEPT` characters.
        at: Unix time.
        author: a hash of the author; None where nobody is named.
    """

    id: bytes
    text: str
    at: float
    author: bytes | None = None
    source: str = ""
    url: str = ""
    language: str = ""
    followers: float | None = None


def mention(row: object, now: float | None = None) -> Mention:
    """The mention of a row. Raises `Refused`.

    Without `mention_id` a post is told from others by its source, address, author, time and text.
    """
    if not isinstance(row, Mapping):
        raise Refused("the row", "an object with text and occurred_at", row)
    text = _text(row.get("text"))
    at = _moment(row.get("occurred_at"), time.time() if now is None else now)
    named = {name: _short(row, name) for name in ("mention_id", "author", "source", "url", "language")}
    identity = [named["source"], named["mention_id"]]
    if not named["mention_id"]:
        identity += [named["url"], named["author"], repr(at), str(row["text"])]
    return Mention(
        id=_hash(*identity),
        text=masked(text[:KEPT]),
        at=at,
        author=_hash(named["source"], named["author"].casefold()) if named["author"] else None,
        source=named["source"],
        url=named["url"] if named["url"].startswith(("https://", "http://")) else "",
        language=named["language"].lower()[:2],
        followers=_count(row.get("followers")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("text", "a text", value)
    if len(value) > REFUSED:
        raise Refused("text", f"at most {REFUSED:,} characters", f"{len(value):,} characters")
    cleaned = _SPACES.sub(" ", _CONTROLS.sub("", value)).strip()
    cleaned = cleaned.encode("utf-8", "ignore").decode()  # halves of a pair of surrogates
    if not cleaned:
        raise Refused("text", "a text with characters that can be read", value)
    return cleaned


def _moment(value: object, now: float) -> float:
    expected = "a time such as 2026-03-02T09:30:00Z, or Unix seconds"
    if isinstance(value, datetime):
        at = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = float(value)
    elif isinstance(value, str) and _SEPARATED.fullmatch(value.strip()):
        try:
            read = datetime.fromisoformat(value.strip())
        except ValueError as wrong:
            raise Refused("occurred_at", expected, value) from wrong
        at = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    else:
        raise Refused("occurred_at", expected, value)
    if not EARLIEST <= at <= now + AHEAD_S:  # NaN is not
        raise Refused("occurred_at", "a time from 1990 until now", value)
    return at


def _short(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    if value is None or value != value:  # NaN, of a table
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Refused(name, "a text", value)
    text = _CONTROLS.sub("", str(value)).strip()
    if len(text) > SHORT:
        raise Refused(name, f"at most {SHORT} characters", text)
    return text.encode("utf-8", "ignore").decode()


def _count(value: object) -> float | None:
    if value is None or value != value:
        return None
    spec = SPECS["mentions"]["followers"]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < (spec.least or 0):
        raise Refused("followers", "a number, 0 or more", value)
    return float(value)


def _hash(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=12).digest()
