"""What pipelines encoded of texts and pictures, kept on the disk of a home: most steps read the same ones, and encoders
take 5 ms for a text and 30 ms for a picture. Servers keep nothing here, so that all versions take equally long.
"""

import hashlib
import sqlite3
from functools import cache
from pathlib import Path

#: Contents that are kept, of 5 to 12 KiB each; the oldest go first.
MOST = 20_000

_place: Path | None = None


def keep_in(folder: Path) -> None:
    """Keep what this process encodes in this folder; before that nothing is kept."""
    global _place
    _place = folder


def recall(encoder: str, text: str) -> bytes | None:
    """What was kept of a text, or of a picture by its hash, that this encoder read; None where nothing was."""
    if _place is None:
        return None
    found = _opened(_place).execute("SELECT content FROM kept WHERE hash = ?", (_hash(encoder, text),)).fetchone()
    return None if found is None else bytes(found[0])


def keep(encoder: str, text: str, content: bytes) -> None:
    """Keep what an encoder made of a text, where this process keeps anything."""
    if _place is not None:
        _opened(_place).execute("INSERT OR IGNORE INTO kept VALUES (?, ?)", (_hash(encoder, text), content))


@cache
def _opened(folder: Path) -> sqlite3.Connection:
    """The file. A crash of the machine may lose it, as it is only a cache."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(folder / "encoded.db", timeout=60, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("CREATE TABLE IF NOT EXISTS kept (hash BLOB UNIQUE, content BLOB)")
    db.execute("DELETE FROM kept WHERE rowid <= (SELECT max(rowid) FROM kept) - ?", (MOST,))
    return db


def _hash(encoder: str, text: str) -> bytes:
    return hashlib.sha256(f"{encoder} {text}".encode()).digest()
