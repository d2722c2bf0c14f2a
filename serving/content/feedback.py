"""What people said of drafts: kept with those drafts, masked and bounded, and read by the ranking."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from features.masking import masked
from features.redis_address import PATIENCE, Address
from features.settings import Settings

Verdict = Literal["accept", "edit", "reject"]
#: Verdicts of a brand that are kept; seconds that a draft may wait for one.
KEPT, WAITS_S = 2000, 90 * 86400


class UnknownDraft(LookupError):
    """No draft has this id, or it was made too long ago."""


@dataclass(frozen=True)
class Made:
    """A draft as it was made."""

    id: str
    brand: str
    part: str
    text: str


@dataclass(frozen=True)
class Said:
    """A verdict on a draft. `edited` is the text that a person made of it."""

    id: str
    part: str
    text: str
    verdict: Verdict
    edited: str | None = None
    reason: str | None = None


class CopyFeedback(Protocol):
    """Where drafts and verdicts are kept."""

    def made(self, drafts: Iterable[Made]) -> None:
        """Remember drafts."""

    def say(self, draft: str, verdict: Verdict, edited: str | None, reason: str | None) -> Said:
        """Keep a verdict; one on the same draft replaces it. Raises `UnknownDraft`."""

    def of(self, brand: str) -> list[Said]:
        """The verdicts of a brand, newest last."""


def feedback(settings: Settings) -> CopyFeedback:
    """Redis where the settings name one, else SQLite under the home."""
    if settings.redis_url is not None:
        return RedisFeedback(Address(settings.redis_url).client(decode_responses=True, **PATIENCE))
    return SqliteFeedback(settings.home / "content" / "feedback.db")


def _said(draft: Made, verdict: Verdict, edited: str | None, reason: str | None) -> Said:
    return Said(
        draft.id,
        draft.part,
        draft.text,
        verdict,
        masked(edited) if edited else None,
        masked(reason) if reason else None,
    )


class SqliteFeedback:
    """In one file, for one machine."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        with closing(self._open()) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS drafts (id TEXT PRIMARY KEY, brand TEXT, part TEXT, text TEXT, at REAL)"
            )
            db.execute(
                "CREATE TABLE IF NOT EXISTS verdicts (id TEXT PRIMARY KEY, brand TEXT, said TEXT, place INTEGER)"
            )

    def made(self, drafts: Iterable[Made]) -> None:
        rows = [(one.id, one.brand, one.part, one.text) for one in drafts]
        with closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, unixepoch())", rows)
            db.execute("DELETE FROM drafts WHERE at < unixepoch() - ?", (WAITS_S,))
            db.execute("COMMIT")

    def say(self, draft: str, verdict: Verdict, edited: str | None, reason: str | None) -> Said:
        with closing(self._open()) as db:
            found = db.execute("SELECT id, brand, part, text FROM drafts WHERE id = ?", (draft,)).fetchone()
            if found is None:
                raise UnknownDraft(f"no draft has the id '{draft[:40]}'")
            made = Made(*found)
            said = _said(made, verdict, edited, reason)
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM verdicts))",
                (said.id, made.brand, json.dumps(asdict(said))),
            )
            db.execute(
                "DELETE FROM verdicts WHERE brand = ?1 AND id NOT IN "
                "(SELECT id FROM verdicts WHERE brand = ?1 ORDER BY place DESC LIMIT ?2)",
                (made.brand, KEPT),
            )
            db.execute("COMMIT")
        return said

    def of(self, brand: str) -> list[Said]:
        with closing(self._open()) as db:
            rows = db.execute("SELECT said FROM verdicts WHERE brand = ? ORDER BY place", (brand,)).fetchall()
        return [Said(**json.loads(row[0])) for row in rows]

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)


#: KEYS: the verdicts of a brand. ARGV: the draft's id, its verdict, how many verdicts are kept.
_SAY = """
for _, earlier in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if cjson.decode(earlier).id == ARGV[1] then redis.call('LREM', KEYS[1], 0, earlier) end
end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -ARGV[3], -1)
"""


class RedisFeedback:
    """In Redis, for replicas."""

    def __init__(self, client: Any) -> None:
        self._client, self._say = client, client.register_script(_SAY)

    def made(self, drafts: Iterable[Made]) -> None:
        for one in drafts:
            self._client.set(f"adloop:content:draft:{one.id}", json.dumps(asdict(one)), ex=WAITS_S)

    def say(self, draft: str, verdict: Verdict, edited: str | None, reason: str | None) -> Said:
        found = self._client.get(f"adloop:content:draft:{draft}")
        if found is None:
            raise UnknownDraft(f"no draft has the id '{draft[:40]}'")
        made = Made(**json.loads(found))
        said = _said(made, verdict, edited, reason)
        self._say(keys=[_verdicts_key(made.brand)], args=[said.id, json.dumps(asdict(said)), KEPT])
        return said

    def of(self, brand: str) -> list[Said]:
        return [Said(**json.loads(one)) for one in self._client.lrange(_verdicts_key(brand), 0, -1)]


def _verdicts_key(brand: str) -> str:
    return f"adloop:content:verdicts:{brand}"
