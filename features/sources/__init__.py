"""Where tables come from: each source maps real data onto the canonical tables, in Parquet."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from features import lake
from features.schema import Schema
from features.settings import Settings
from features.sources import auction_simulator, cdnow, complete_journey, decision_log, folder, ipinyou

_BUNDLED = {"complete_journey": complete_journey, "cdnow": cdnow, "auction_simulator": auction_simulator}


#: Canonical tables as their files stand.
AS_THEY_ARE = Schema()


def read(
    sources: Sequence[str], destination: Path, settings: Settings, schema: Schema = AS_THEY_ARE
) -> tuple[str, ...]:
    """Write the canonical tables of all `sources` into the folder `destination`, and return what is to be told of them.

    Args:
        sources: each `complete_journey`, `cdnow`, `auction_simulator`, `decision_log`, or a folder of canonical tables
            (Parquet or CSV) or of iPinYou replay files, here or `s3://…`, or of a decision log and its feedback.
        schema: how the files of folders of tables become canonical.

    Raises:
        FileNotFoundError: where there is no such source.
        ContractBroken: where a table cannot be taken as it is.
        ValueError: where two sources have the same table.
    """
    taken: dict[str, str] = {}
    for source in sources:
        for table in tables(source, settings, schema):
            if table in taken:
                raise ValueError(f"table '{table}': both {taken[table]} and {source} have one")
            taken[table] = source
    destination.mkdir(parents=True, exist_ok=True)
    return tuple(note for source in sources for note in _read(source, destination, settings, schema))


def tables(source: str, settings: Settings, schema: Schema = AS_THEY_ARE) -> tuple[str, ...]:
    """The canonical tables that reading a source gives. Raises `FileNotFoundError` where there is no such source."""
    if source in _BUNDLED:
        bundled: tuple[str, ...] = _BUNDLED[source].TABLES
        return bundled
    if decision_log.files(source, settings):
        return decision_log.TABLES
    if ipinyou.files(source, settings):
        return ipinyou.TABLES
    return folder.tables(source, settings, schema)


def is_folder(source: str, settings: Settings) -> bool:
    """Whether a source is a folder of tables, which a schema may describe."""
    return not (source in _BUNDLED or decision_log.files(source, settings) or ipinyou.files(source, settings))


def learns(source: Sequence[str], settings: Settings) -> bool:
    """Whether one of them is a decision log: what is learnt from it goes on from what bid."""
    return any(one not in _BUNDLED and decision_log.files(one, settings) for one in source)


def _read(source: str, destination: Path, settings: Settings, schema: Schema) -> list[str]:
    if source in _BUNDLED:
        _BUNDLED[source].read(destination)
    elif decision_log.files(source, settings):
        decision_log.read(source, destination, settings)
    elif ipinyou.files(source, settings):
        ipinyou.read(source, destination, settings)
    else:
        return folder.read(source, destination, settings, schema)
    return []


def fingerprint(sources: Iterable[str], settings: Settings, schema: Schema = AS_THEY_ARE) -> str:
    """A hash that changes with the sources' content, without mapping it: the key that pipelines cache by."""
    parts = [_fingerprint(source, settings, schema) for source in sources]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _fingerprint(source: str, settings: Settings, schema: Schema) -> str:
    digest = hashlib.sha256(source.encode() if source in _BUNDLED else b"folder")
    if lake.is_remote(source):
        remote = lake.filesystem(source, settings)
        for uri in _files(source, settings, schema):
            digest.update(f"{uri.rsplit('/', 1)[-1]} {remote.checksum(uri)}".encode())
        return digest.hexdigest()
    files = _BUNDLED[source].files() if source in _BUNDLED else map(Path, _files(source, settings, schema))
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _files(source: str, settings: Settings, schema: Schema) -> list[str]:
    """The files of a folder: of a decision log, of replays or of canonical tables."""
    return (
        decision_log.files(source, settings)
        or ipinyou.files(source, settings)
        or [file for files in folder.files(source, settings, schema).values() for file in files]
    )
