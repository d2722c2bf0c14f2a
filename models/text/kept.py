"""What pipelines encoded of texts, kept on the disk of a home: most steps read the same texts, and the encoder takes
5 ms for one. Servers keep nothing here, so that all versions take equally long.
"""

import hashlib
import sqlite3
from functools import cache
from pathlib import Path

#: Texts that are kept, of 6 KiB each; the oldest go first.
MOST = 20_000

_place: Path | None = None


def keep_in(folder: Path) -> None:
    """Keep what this process encodes in this folder; before that nothing is kept."""
    global _place
    _place = folder


def recall(encoder: str, text: str) -> bytes | None:
    """What was kept of a text that this encoder read; None where nothing was."""
    if _place is None:
        return None
    found = _opened(_place).execute("SELECT content FROM texts WHERE hash = ?", (_hash(encoder, text),)).fetchone()
    return None if found is None else bytes(found[0])


def keep(encoder: str, text: str, content: bytes) -> None:
    """Keep what an encoder made of a text, where this process keeps anything."""
    if _place is not None:
        _opened(_place).execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (_hash(encoder, text), content))


@cache
def _opened(folder: Path) -> sqlite3.Connection:
    """The file. A crash of the machine may lose it, as it is only a cache."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(folder / "encoded.db", timeout=60, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("CREATE TABLE IF NOT EXISTS texts (hash BLOB UNIQUE, content BLOB)")
    db.execute("DELETE FROM texts WHERE rowid <= (SELECT max(rowid) FROM texts) - ?", (MOST,))
    return db


def _hash(encoder: str, text: str) -> bytes:
    return hashlib.sha256(f"{encoder} {text}".encode()).digest()
