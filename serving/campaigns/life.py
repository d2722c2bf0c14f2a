"""The life of campaigns: draft, checked, approved, live, paused, ended, archived; who moved them, when and why.

A changed file is a new version with a life of its own, so that what was approved is what is launched. All that happens
is a line of a chain of hashes; approvals are such lines too.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from features.settings import Settings
from serving.campaigns.plan import CampaignPlan
from serving.campaigns.reading import plan_of
from serving.records.chain import genesis, link

CampaignState = Literal["draft", "checked", "approved", "live", "paused", "ended", "archived"]
#: From which states each can be reached.
BEFORE: Mapping[CampaignState, tuple[CampaignState, ...]] = {
    "draft": (),
    "checked": ("draft", "checked"),
    "approved": ("checked",),
    "live": ("approved", "paused"),
    "paused": ("live",),
    "ended": ("draft", "checked", "approved", "live", "paused"),
    "archived": ("ended",),
}
RUNNING: tuple[CampaignState, ...] = ("live", "paused")
#: What a line tells besides a change of the state: somebody approved; somebody asked platforms for something.
Told = Literal["approval", "asked"]

_TABLES = """
CREATE TABLE IF NOT EXISTS versions (name TEXT, version INTEGER, account TEXT NOT NULL, plan TEXT NOT NULL,
  author TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL, PRIMARY KEY (name, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, hash BLOB NOT NULL);
"""


class WrongState(ValueError):
    """The campaign cannot do this in the state that it is in."""


@dataclass(frozen=True, slots=True)
class CampaignEvent:
    """A line of the life of campaigns. `detail` is of the kind: verdicts of checks, role and end of an approval."""

    at: float
    who: str
    campaign: str
    version: int
    what: CampaignState | Told
    why: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CampaignVersion:
    """A version of a campaign's file, and its state."""

    name: str
    version: int
    account: str
    text: str
    author: str
    at: float
    state: CampaignState

    @cached_property
    def plan(self) -> CampaignPlan:
        return plan_of(self.text)

    @property
    def digest(self) -> str:
        """Hash of the file, which approvals are bound to."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


class CampaignLives:
    """The campaigns of a home, in one SQLite file; opened on first use."""

    def __init__(self, path: Path) -> None:
        self.path, self._turn = path, threading.RLock()
        self._open: sqlite3.Connection | None = None
        self._versions, self._read_at = list[CampaignVersion](), -1

    def plan(self, plan: CampaignPlan, text: str, who: str, why: str, at: float) -> CampaignVersion:
        """Keep a file as a new version, in draft; the same file again is the version that is there.

        A version that it replaces before its launch is ended.
        """
        with self.writing():
            there = self.versions(plan.name)
            if there and there[-1].text == text and there[-1].state not in ("ended", "archived"):
                return there[-1]
            if there and there[-1].account != plan.account:
                raise ValueError(
                    f"{plan.name}: account: expected '{there[-1].account}' as before, got '{plan.account}'"
                )
            made = CampaignVersion(plan.name, len(there) + 1, plan.account, text, who, at, "draft")
            if there and there[-1].state in ("draft", "checked", "approved"):
                self.move(there[-1], "ended", who, f"replaced by version {made.version}", at)
            row = made.name, made.version, made.account, text, who, at, made.state
            self._db.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            self.note(CampaignEvent(at, who, made.name, made.version, "draft", why, {"file": made.digest}))
        return made

    def move(
        self, of: CampaignVersion, to: CampaignState, who: str, why: str, at: float, detail: Mapping[str, Any] = {}
    ) -> CampaignVersion:
        """Change the state of a version. Raises `WrongState`."""
        with self.writing():
            found = self.version(of.name, of.version)
            if found.state not in BEFORE[to]:
                expected = " or ".join(BEFORE[to])
                raise WrongState(f"{of}: is {found.state}; expected {expected} before it can be {to}")
            self._db.execute(
                "UPDATE versions SET state = ? WHERE name = ? AND version = ?", (to, found.name, found.version)
            )
            self.note(CampaignEvent(at, who, found.name, found.version, to, why, detail))
            return self.version(of.name, of.version)

    def note(self, event: CampaignEvent) -> None:
        """Add a line to the chain. Raises `ValueError` without a reason."""
        if not event.who or not event.why:
            raise ValueError(f"{event.campaign}: expected who and why")
        line = json.dumps(asdict(event), sort_keys=True, ensure_ascii=False)
        with self.writing():
            last = self._rows("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
            seq, before = last[0] if last else (0, genesis("campaigns"))
            self._db.execute("INSERT INTO events VALUES (?, ?, ?)", (seq + 1, line, link(before, line.encode())))

    def newest(self, name: str) -> CampaignVersion:
        """The newest version. Raises `LookupError` naming the campaigns there are."""
        found = self.versions(name)
        if not found:
            there = ", ".join(sorted({one.name for one in self.versions()})) or "none"
            raise LookupError(f"no campaign '{name}': adloop campaign plan FILE; there are: {there}")
        return found[-1]

    def version(self, name: str, version: int) -> CampaignVersion:
        found = [one for one in self.versions(name) if one.version == version]
        if not found:
            raise LookupError(f"no version {version} of campaign '{name}'")
        return found[0]

    def running(self, name: str) -> CampaignVersion | None:
        """The version that is live or paused at platforms."""
        return next((one for one in reversed(self.versions(name)) if one.state in RUNNING), None)

    def versions(self, name: str | None = None) -> list[CampaignVersion]:
        """All versions of a campaign, or of all, in order; read anew where anything happened since."""
        with self._turn:
            at = int(self._rows("SELECT coalesce(max(seq), 0) FROM events")[0][0])
            if at != self._read_at:
                query = "SELECT name, version, account, plan, author, at, state FROM versions ORDER BY name, version"
                self._versions, self._read_at = [CampaignVersion(*row) for row in self._rows(query)], at
            return [one for one in self._versions if name in (None, one.name)]

    def events(self, name: str | None = None) -> list[CampaignEvent]:
        """What happened, in order. Raises `ValueError` naming the first line that was altered."""
        before, found = genesis("campaigns"), list[CampaignEvent]()
        for seq, line, chained in self._rows("SELECT seq, line, hash FROM events ORDER BY seq"):
            before = link(before, line.encode())
            if seq != len(found) + 1 or before != chained:
                raise ValueError(f"{self.path}: line {len(found) + 1} of the life of campaigns was altered or removed")
            found.append(CampaignEvent(**json.loads(line)))
        return [one for one in found if name in (None, one.campaign)]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: all of it is on the disk afterwards, or nothing. May be nested."""
        with self._turn:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._read_at = -1
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._turn:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._turn:
            return self._db.execute(query, values).fetchall()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            db = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(_TABLES)
            self._open = db
        return self._open


def lives(settings: Settings) -> CampaignLives:
    """The campaigns of the home."""
    return CampaignLives(settings.home / "campaigns" / "campaigns.db")
