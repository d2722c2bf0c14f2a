"""Data sources: each writes the canonical tables as Parquet."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from features import lake
from features.schema import Schema
from features.settings import Settings
from features.sources import (
    auction_simulator,
    cdnow,
    complete_journey,
    creative_market,
    decision_log,
    folder,
    ipinyou,
    packaged_photos,
    rated_texts,
    shop_intents,
)
from features.tables import Tables

_BUNDLED = {
    "complete_journey": complete_journey,
    "cdnow": cdnow,
    "auction_simulator": auction_simulator,
    "creative_market": creative_market,
    "rated_texts": rated_texts,
    "shop_intents": shop_intents,
    "packaged_photos": packaged_photos,
}
#: Tables whose sources add up: each row stands for itself.
_ADDING_UP = frozenset({"texts", "images"})


#: No schema: the files already have the canonical form.
AS_THEY_ARE = Schema()


def read(
    sources: Sequence[str], destination: Path, settings: Settings, schema: Schema = AS_THEY_ARE
) -> tuple[str, ...]:
    """Write the canonical tables of all `sources` into the folder `destination`. Returns notes for the user.

    Args:
        sources: each a bundled source (`complete_journey`, `cdnow`, `auction_simulator`, `creative_market`,
            `rated_texts`, `shop_intents`, `packaged_photos`), or a folder of canonical tables (Parquet or CSV) or of
            iPinYou replay files, here or `s3://…`, or of a decision log (`decision_log`) and its feedback.
        schema: how to convert folders of tables.

    Raises:
        FileNotFoundError: the source does not exist.
        ContractBroken: a table breaks its contract.
        ValueError: two sources have the same table, other than `texts` and `images`, whose rows they add.
    """
    given = [(source, tables(source, settings, schema)) for source in sources]
    taken: dict[str, str] = {}
    for source, names in given:
        for table in names:
            if table in taken and table not in _ADDING_UP:
                raise ValueError(f"table '{table}': expected one source, got {taken[table]} and {source}")
            taken[table] = source
    destination.mkdir(parents=True, exist_ok=True)
    notes: list[str] = []
    read_before: set[str] = set()
    for source, names in given:
        with _added_to(read_before & _ADDING_UP.intersection(names), destination):
            notes += _read(source, destination, settings, schema)
        read_before |= set(names)
    return tuple(notes)


@contextmanager
def _added_to(several: Iterable[str], destination: Path) -> Iterator[None]:
    """Keep the rows that earlier sources gave to these tables, before those that are written meanwhile."""
    files = [Tables(destination).path(table) for table in several]
    earlier = [pd.read_parquet(file) for file in files]
    yield
    for file, rows in zip(files, earlier, strict=True):
        pd.concat([rows, pd.read_parquet(file)], ignore_index=True).to_parquet(file, index=False)


def tables(source: str, settings: Settings, schema: Schema = AS_THEY_ARE) -> tuple[str, ...]:
    """The canonical tables of a source. Raises `FileNotFoundError` where the source does not exist."""
    if source in _BUNDLED:
        bundled: tuple[str, ...] = _BUNDLED[source].TABLES
        return bundled
    if decision_log.files(source, settings):
        return decision_log.TABLES
    if ipinyou.files(source, settings):
        return ipinyou.TABLES
    return folder.tables(source, settings, schema)


def is_folder(source: str, settings: Settings) -> bool:
    """Whether a source is a folder of tables, to which a schema applies."""
    return not (source in _BUNDLED or decision_log.files(source, settings) or ipinyou.files(source, settings))


def learns(source: Sequence[str], settings: Settings) -> bool:
    """Whether a source is a decision log: training on it starts from the champion."""
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
    """A hash of the sources' raw content: the cache key of pipelines."""
    parts = [_fingerprint(source, settings, schema) for source in sources]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _fingerprint(source: str, settings: Settings, schema: Schema) -> str:
    digest = hashlib.sha256(source.encode() if source in _BUNDLED else b"folder")
    files = map(str, _BUNDLED[source].files()) if source in _BUNDLED else _files(source, settings, schema)
    for uri in files:
        name = uri.rsplit("/", 1)[-1]
        if lake.is_remote(uri):
            digest.update(f"{name} {lake.filesystem(uri, settings).checksum(uri)}".encode())
            continue
        digest.update(name.encode())
        with Path(uri).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _files(source: str, settings: Settings, schema: Schema) -> list[str]:
    """The files of a folder: of a decision log, of replays or of canonical tables."""
    return (
        decision_log.files(source, settings)
        or ipinyou.files(source, settings)
        or [file for files in folder.files(source, settings, schema).values() for file in files]
    )
