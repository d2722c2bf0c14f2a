"""Source: a folder of Parquet or CSV tables, local or in S3, canonical or described by a schema file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from features import lake
from features.contracts import SHOWN, ContractBroken, in_schema
from features.database import connect
from features.reading import ids
from features.reading.table import Note, ParsedTable, parse, write
from features.schema import Schema
from features.settings import Settings
from features.tables import ENTITIES, REFERRING, SPECS, Tables, literal

_ENDINGS = ("parquet", "csv", "csv.gz")


@dataclass
class Opened:
    """The parsed tables of a folder; read them through `db`."""

    db: duckdb.DuckDBPyConnection
    tables: list[ParsedTable]
    schema: Schema

    @property
    def problems(self) -> list[ContractBroken]:
        return [problem for table in self.tables for problem in table.problems]

    @property
    def notes(self) -> list[str]:
        return [f"{table.table}: {describe(table.table, note)}" for table in self.tables for note in table.notes]


def files(source: str, settings: Settings, schema: Schema) -> dict[str, list[str]]:
    """The files of each canonical table in `source`: those that the schema names, else `<table>.parquet` or `.csv`.

    Raises `FileNotFoundError` where no table or a file named by the schema is missing.
    """
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    found: dict[str, list[str]] = {}
    for table in SPECS:
        named = [f"{root}/{name}" for name in schema.of(table).file]
        missing = next((file for file in named if not system.exists(file)), None)
        if missing:
            raise FileNotFoundError(f"table '{table}': the schema names the file '{missing}', which does not exist")
        usual = _usual(source, table, settings)
        if named or usual:
            found[table] = named or usual[:1]
    if not found:
        raise FileNotFoundError(
            f"'{source}': neither a bundled source nor a folder with any of {', '.join(SPECS)} as"
            f" {', '.join(_ENDINGS)}{_listed(source, settings)}"
        )
    return found


def _usual(source: str, table: str, settings: Settings) -> list[str]:
    """The files named after a table, in order of preference."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    return [file for file in (f"{root}/{table}.{ending}" for ending in _ENDINGS) if system.exists(file)]


def _listed(source: str, settings: Settings) -> str:
    """The names in the folder, for an error."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    if not system.isdir(root):
        return ""
    names = sorted(str(one).rsplit("/", 1)[-1] for one in system.ls(root, detail=False))
    return f"; found: {', '.join(names[:SHOWN])}" if names else "; it is empty"


def tables(source: str, settings: Settings, schema: Schema) -> tuple[str, ...]:
    """The tables that `read` would write. Raises `FileNotFoundError` where there is none."""
    found = files(source, settings, schema)
    derived = {entities for key, entities in ENTITIES.items() if REFERRING[key].intersection(found)}
    return tuple(table for table in SPECS if table in found or table in derived)


def read(source: str, destination: Path, settings: Settings, schema: Schema) -> list[str]:
    """Write the tables in `source` into `destination`, each column of the specification in its type.

    Without a table of customers or creatives, it is derived from the ids in the others. Returns notes for the user.
    Raises `ContractBroken` where a table has problems.
    """
    with opened(source, settings, schema) as folder:
        for problem in folder.problems:
            raise problem
        publish(folder, destination)
        return folder.notes


def publish(folder: Opened, destination: Path) -> None:
    """Write tables without problems into `destination`. Raises `ContractBroken` where their ids do not match."""
    for understood in folder.tables:
        write(folder.db, understood, folder.schema.of(understood.table).zone, destination)
    for key, entities in ENTITIES.items():
        staged = REFERRING[key].intersection(Tables(destination).names)
        if staged and entities not in staged:
            _derive(folder.db, Tables(destination), key, sorted(staged))
        for table in sorted(staged - {entities}):
            _refuse_other_spelling(folder.db, Tables(destination), key, table)


def describe(table: str, note: Note) -> str:
    """The text of a note, with the schema entry that changes the behaviour."""
    return (
        f"{note.text}; to change that, set {in_schema(table, note.mend)} in a schema file" if note.mend else note.text
    )


@contextmanager
def opened(source: str, settings: Settings, schema: Schema) -> Iterator[Opened]:
    """Parse the tables in `source`. Raises `FileNotFoundError` where there is none."""
    now = pd.Timestamp.now("UTC").tz_localize(None)
    with tempfile.TemporaryDirectory() as temporary, connect(settings.limits) as db:
        aside = Path(temporary)
        db.execute("SET TimeZone = 'UTC'")
        done = []
        for table, found in files(source, settings, schema).items():
            here = {file.rsplit("/", 1)[-1]: _local(file, table, aside, settings) for file in found}
            done.append(parse(db, table, here, schema.of(table), now, aside))
            unread = [file for file in _usual(source, table, settings) if file not in found]
            done[-1].notes += [Note(f"{file.rsplit('/', 1)[-1]} also exists and is not read") for file in unread]
        yield Opened(db, done, schema)


def _local(file: str, table: str, aside: Path, settings: Settings) -> Path:
    if not lake.is_remote(file):
        return Path(file)
    here = aside / f"{table}-{file.rsplit('/', 1)[-1]}"
    lake.fetch(file, here, settings)
    return here


def _derive(db: duckdb.DuckDBPyConnection, tables: Tables, key: str, staged: list[str]) -> None:
    """Write the table of the entities that the others have rows of; with the campaign of those that have only one."""
    campaign = key == "creative_id" and "campaign_id" in tables.columns(staged[0])
    union = " UNION ".join(f"SELECT {key}{', campaign_id' * campaign} FROM {tables.sql(table)}" for table in staged)
    columns = f"{key}, CASE WHEN count(DISTINCT campaign_id) = 1 THEN min(campaign_id) END AS campaign_id"
    derived = f"SELECT {columns if campaign else key} FROM ({union}) WHERE {key} IS NOT NULL GROUP BY {key} ORDER BY 1"
    db.execute(f"COPY ({derived}) TO {literal(str(tables.path(ENTITIES[key])))} (FORMAT parquet)")


def _refuse_other_spelling(db: duckdb.DuckDBPyConnection, tables: Tables, key: str, table: str) -> None:
    """Raise `ContractBroken` where entities are unknown only because their ids have spaces or `.0` in one table."""
    entities = ENTITIES[key]
    known = f"SELECT {key} AS known, {ids.clean(key)} AS same FROM {tables.sql(entities)}"
    unknown = f"SELECT * FROM {tables.sql(table)} WHERE {key} NOT IN (SELECT known FROM ({known}))"
    rows = db.execute(
        f'SELECT u.*, known AS "in {entities}" FROM ({unknown}) u JOIN ({known}) k'
        f" ON {ids.clean(f'u.{key}')} = same LIMIT {SHOWN}"
    ).df()
    if len(rows):
        rule, hint, mend = f"{key} is in the table {entities}", "clean the ids of both tables", {"ids": "clean"}
        raise ContractBroken(table, key, rule, rows.to_dict("records"), hint=hint, mend=mend)
