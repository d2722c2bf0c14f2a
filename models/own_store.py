"""The MLflow database in a home: checks it, reads versions of it, and updates its paths after the home was moved or
copied.

MLflow stores absolute addresses of artifacts. Where database and artifacts are both in the home, the addresses are
rewritten to the home's current path. Versions and their files are read without MLflow, whose import takes longer than
all else that a server does before it answers.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from features.settings import Settings

#: Columns of MLflow's database that hold addresses of artifacts.
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_VERSIONS = "SELECT version, run_id FROM model_versions WHERE name = ? AND current_stage != 'Deleted_Internal'"
_TAGS = "SELECT version, key, value FROM model_version_tags WHERE name = ?"
_ALIASES = "SELECT version, alias FROM registered_model_aliases WHERE name = ?"
_ARTIFACTS = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"


class StoreBroken(ConnectionError):
    """The database of the home cannot be opened."""


def is_own(settings: Settings) -> bool:
    """Whether database and artifacts are both in the home."""
    return settings.mlflow_uri is None and settings.artifacts_uri is None


def check(settings: Settings) -> None:
    """Raises `StoreBroken` where the database is unreadable or invalid; MLflow would retry for minutes."""
    path = settings.home / "mlflow.db"
    if settings.mlflow_uri is not None:
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rwc", uri=True, timeout=30)) as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as broken:
        raise StoreBroken(f"{path} cannot be opened: {broken}; put a copy back, or mend its permissions") from broken


@dataclass(frozen=True)
class Row:
    """A version as the database has it."""

    name: str
    version: int
    run_id: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]


def versions(settings: Settings, family: str) -> list[Row] | None:
    """A family's versions, all of one moment; None where MLflow is to be asked: of another database, or of one that is
    not laid out yet or cannot be read.
    """
    path = settings.home / "mlflow.db"
    if settings.mlflow_uri is not None:
        return None
    if not path.exists():
        return []
    try:
        with closing(_readable(path)) as db:
            db.execute("BEGIN")
            made = db.execute(_VERSIONS, [family]).fetchall()
            tags, aliases = db.execute(_TAGS, [family]).fetchall(), db.execute(_ALIASES, [family]).fetchall()
    except sqlite3.Error:
        return None
    return [
        Row(
            family,
            number,
            run_id,
            {key: value for version, key, value in tags if version == number},
            tuple(sorted(alias for version, alias in aliases if version == number)),
        )
        for number, run_id in made
    ]


def artifacts(settings: Settings, run_id: str) -> Path | None:
    """The folder with the files of a run; None where MLflow is to be asked: of another database or place of artifacts,
    or where there is no such run or folder.
    """
    path = settings.home / "mlflow.db"
    if not is_own(settings) or not path.exists():
        return None
    try:
        with closing(_readable(path)) as db:
            found = db.execute(_ARTIFACTS, [run_id]).fetchone()
    except sqlite3.Error:
        return None
    address = urlsplit(here(found[0], settings) if found else "")
    folder = Path(unquote(address.path))
    return folder if address.scheme == "file" and folder.is_dir() else None


def _readable(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)


def tidy(settings: Settings) -> None:
    """Remove the empty folder that MLflow creates from a database address with special characters."""
    raw = settings.tracking_uri.removeprefix("sqlite:///")
    if settings.mlflow_uri is None and unquote(raw) != raw:
        with suppress(OSError):
            Path(raw).parent.rmdir()


def follow(settings: Settings) -> None:
    """Rewrite the artifact addresses in MLflow's database to the current path."""
    path, root = settings.home / "mlflow.db", settings.artifacts_root
    if not is_own(settings):
        return
    with closing(sqlite3.connect(path, timeout=30)) as db, db:
        for table, column in COLUMNS:
            other = f"{column} LIKE 'file:%' AND instr({column}, ?) != 1"
            found = f"SELECT DISTINCT {column} FROM {table} WHERE {other}"  # noqa: S608 - the names are those above
            for (before,) in db.execute(found, [f"{root}/"]).fetchall():
                now = here(before, settings)
                if now != before:
                    change = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"  # noqa: S608 - as above
                    db.execute(change, [now, before])


def here(address: str, settings: Settings) -> str:
    """The artifact's address under the current home; unchanged where it does not exist there."""
    name = f"/{Path(settings.artifacts_root).name}/"
    _, found, rest = address.rpartition(name)
    if not is_own(settings) or not address.startswith("file:") or not found:
        return address
    now = f"{settings.artifacts_root}/{rest}"
    return now if Path(unquote(urlsplit(now).path)).exists() else address
