"""Checks a folder of user tables and proposes a schema file that would make them canonical."""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from features import contracts, lake
from features.contracts import ContractBroken
from features.reading import columns, synonyms, text
from features.reading.report import TableReport, describe
from features.schema import Schema, read
from features.settings import Settings
from features.sources import folder
from features.tables import SPECS, Tables

#: Rounds of fixes: each can reveal further problems (encoding, then headers, then formats, then ids).
ROUNDS = 6
#: Columns that a file needs besides the required ones to be taken for a table whose name it does not have.
_TELLING = {"customers": ("churned",), "creatives": ("headline",), "benchmarks": ("ctr",)}
_DATA = (".parquet", ".csv", ".csv.gz", ".tsv", ".txt", ".txt.gz", ".tsv.gz")
_BEGIN = 1 << 16


@dataclass(frozen=True)
class Looked:
    """The result of checking a folder with one schema.

    Attributes:
        mends: further schema entries by table.
    """

    tables: tuple[TableReport, ...]
    problems: tuple[ContractBroken, ...]
    mends: tuple[tuple[str, Mapping[str, Any]], ...]


def look(source: str, settings: Settings, schema: Schema) -> Looked:
    """Parse the tables of a folder and check their contracts; writes nothing.

    Raises `FileNotFoundError` where there is no table.
    """
    with folder.opened(source, settings, schema) as opened, TemporaryDirectory() as temporary:
        reports = [
            describe(
                opened.db, table, schema.of(table.table), [folder.describe(table.table, note) for note in table.notes]
            )
            for table in opened.tables
        ]
        problems = opened.problems
        if not problems:
            tables = Tables(Path(temporary))
            try:
                folder.publish(opened, tables.folder)
                contracts.check(tables.folder)
            except ContractBroken as problem:
                problems = [problem]
        mends = [(table.table, note.mend) for table in opened.tables for note in table.notes]
        mends += [(problem.table, problem.mend) for problem in problems]
        return Looked(tuple(reports), tuple(problems), tuple((table, mend) for table, mend in mends if mend))


def propose(source: str, settings: Settings, schema: Schema, looked: Looked | None) -> tuple[Schema, Looked | None]:
    """The schema extended by all known fixes, and the folder checked with it; None where there is no table.

    Args:
        looked: the folder checked with the schema as it is; None where that names no table.
    """
    better = _with_files(source, settings, schema)
    for _ in range(ROUNDS):
        if looked is None or better != schema:
            try:
                looked = look(source, settings, better)
            except FileNotFoundError:
                return better, None
        schema, better = better, _mended(better, looked.mends)
        if better == schema:
            break
    return better, looked


def _mended(schema: Schema, mends: tuple[tuple[str, Mapping[str, Any]], ...]) -> Schema:
    written = schema.model_dump(mode="json", exclude_defaults=True)
    for table, mend in mends:
        own = written.setdefault("tables", {}).setdefault(table, {})
        for key, value in mend.items():
            if isinstance(value, dict):
                before = own.get(key, {})
                own[key] = {**before, **value} if isinstance(before, dict) else before
            else:
                own[key] = list(dict.fromkeys([*own.get(key, []), *value])) if isinstance(value, list) else value
    return read(written)


def _with_files(source: str, settings: Settings, schema: Schema) -> Schema:
    """The schema with files for tables that no file is named after."""
    try:
        known = folder.files(source, settings, schema)
    except FileNotFoundError:
        known = {}
    used = {file.rsplit("/", 1)[-1] for files in known.values() for file in files}
    headers = {name: header for name, header in _headers(source, settings) if name not in used}
    written = schema.model_dump(mode="json", exclude_defaults=True)
    lacking = [table for table in SPECS if table not in known]
    for table, choose in [(table, choose) for choose in (_called, _shaped) for table in lacking]:
        chosen = [] if written.get("tables", {}).get(table, {}).get("file") else choose(table, headers)
        if chosen:
            written.setdefault("tables", {}).setdefault(table, {})["file"] = chosen
            headers = {name: header for name, header in headers.items() if name not in chosen}
    return read(written)


def _called(table: str, headers: Mapping[str, list[str]]) -> list[str]:
    """The files with a name or synonym of a table and the same header as the first of them."""
    called = [name for name in headers if _stem(name) in (table, *synonyms.TABLES[table])]
    return [name for name in called if headers[name] == headers[called[0]]]


def _shaped(table: str, headers: Mapping[str, list[str]]) -> list[str]:
    """The first file that has all columns of a table."""
    return [name for name, header in headers.items() if _has_all(table, header)][:1]


def _stem(name: str) -> str:
    """A file's name without its extensions and part numbers."""
    return re.sub(r"(?:_?(?:\d+|part|export|data|tbl|table))+$", "", columns.plain(name.split(".", 1)[0]))


def _has_all(table: str, header: list[str]) -> bool:
    needed = [name for name, column in SPECS[table].items() if column.required]
    taken: list[str] = []
    for name in [*needed, *_TELLING.get(table, ())]:
        found = columns.guess(name, header, taken)
        if found is None:
            return False
        taken.append(found)
    return True


def _headers(source: str, settings: Settings) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and header of each data file in the folder."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    if not system.isdir(root):
        return
    for file in sorted(str(one) for one in system.ls(root, detail=False)):
        name = PurePosixPath(file).name
        if name.lower().endswith(_DATA) and not name.startswith("."):
            with system.open(f"{root}/{name}", "rb") as stream:
                yield name, _header(stream)


def _header(stream: Any) -> list[str]:
    begin: bytes = stream.read(_BEGIN)
    if begin.startswith(b"PAR1"):
        stream.seek(0)
        try:
            return list(pq.read_schema(stream).names)
        except (OSError, ValueError):
            return []
    if begin.startswith(b"\x1f\x8b"):
        begin = zlib.decompressobj(31).decompress(begin)
    return text.first_header(begin)
