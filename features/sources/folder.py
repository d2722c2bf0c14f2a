"""A folder of canonical tables as Parquet or CSV files, `<table>.parquet`, `.csv` or `.csv.gz`, here or in S3."""

import re
import tempfile
from pathlib import Path

import duckdb

from features import lake
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import OF_CUSTOMERS, SPECS, Tables, literal, quoted

_ENDINGS = ("parquet", "csv", "csv.gz")
#: What pandas calls an index without a name when it writes Parquet: row numbers of a file, nobody's attribute.
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def files(source: str, settings: Settings) -> dict[str, str]:
    """The file of each canonical table in `source`. Raises `FileNotFoundError` where there is none."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    names = [(table, f"{root}/{table}.{ending}") for table in SPECS for ending in _ENDINGS]
    found = {table: file for table, file in reversed(names) if system.exists(file)}
    if not found:
        raise FileNotFoundError(
            f"'{source}': neither a bundled source nor a folder with any of {', '.join(SPECS)} as {', '.join(_ENDINGS)}"
        )
    return {table: found[table] for table in SPECS if table in found}


def tables(source: str, settings: Settings) -> tuple[str, ...]:
    """The tables that `read` gives of `source`. Raises `FileNotFoundError` where there is none."""
    found = files(source, settings)
    derived = {"customers"} if OF_CUSTOMERS.intersection(found) else set()
    return tuple(table for table in SPECS if table in found or table in derived)


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the tables in `source` into `destination`, each column of the specification in its type.

    Where there is no table of customers, they are those of the other tables, if any of these is of customers. Raises
    `ContractBroken` where a value cannot be read as the type of its column.
    """
    with tempfile.TemporaryDirectory() as temporary, duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for table, file in files(source, settings).items():
            here = Path(file)
            if lake.is_remote(source):
                here = Path(temporary) / file.rsplit("/", 1)[-1]
                lake.fetch(file, here, settings)
            _stage(db, table, here, destination)
        staged = OF_CUSTOMERS.intersection(Tables(destination).names)
        if staged and "customers" not in staged:
            _derive_customers(db, Tables(destination), sorted(staged))


def _stage(db: duckdb.DuckDBPyConnection, table: str, file: Path, destination: Path) -> None:
    db.execute(f"CREATE VIEW given_{table} AS SELECT * FROM {_reader(table, file)}")
    types = {name: kind for name, kind, *_ in db.execute(f"DESCRIBE given_{table}").fetchall()}
    # Moments with a zone become moments in UTC, by a way that also nanoseconds can take.
    moments = [quoted(name) for name, kind in types.items() if kind.startswith(("TIMESTAMPTZ", "TIMESTAMP WITH"))]
    utc = f"REPLACE ({', '.join(f'{name}::TIMESTAMPTZ::TIMESTAMP AS {name}' for name in moments)})" if moments else ""
    db.execute(f"CREATE VIEW {table} AS SELECT * {utc} FROM given_{table}")
    given = [name for name in types if not _PANDAS_INDEX.fullmatch(name)]
    spec = SPECS[table]
    for name in spec:
        if name in given:
            _refuse_unreadable(db, table, name)
        elif spec[name].required:
            raise ContractBroken(table, name, "column is required", f"there are: {', '.join(given)}")
    columns = ", ".join(
        f"{quoted(name)}::{spec[name].type} AS {quoted(name)}" if name in spec else quoted(name) for name in given
    )
    target = literal(str(destination / f"{table}.parquet"))
    db.execute(f"COPY (SELECT {columns} FROM {table}) TO {target} (FORMAT parquet)")


def _reader(table: str, file: Path) -> str:
    """Parquet as it is; CSV with the specification's columns as text, so that an id keeps its leading zeros."""
    if file.suffix == ".parquet":
        return f"read_parquet({literal(str(file))})"
    with duckdb.connect() as db:
        path = literal(str(file))
        given = [name for name, *_ in db.execute(f"DESCRIBE SELECT * FROM read_csv({path}, header = true)").fetchall()]
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in given if name in SPECS[table])
    types = f", types = {{{texts}}}" if texts else ""
    return f"read_csv({path}, header = true, sample_size = -1, nullstr = ['', ' ']{types})"


def _refuse_unreadable(db: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    kind, column = SPECS[table][name].type, quoted(name)
    broken = f"{column} IS NOT NULL AND try_cast({column} AS {kind}) IS NULL"
    rows = db.execute(f"SELECT * FROM {table} WHERE {broken} LIMIT 5").df()
    if len(rows):
        raise ContractBroken(table, name, f"values can be read as {kind}", rows.to_dict("records"))


def _derive_customers(db: duckdb.DuckDBPyConnection, tables: Tables, staged: list[str]) -> None:
    union = " UNION ".join(f"SELECT customer_id FROM {tables.sql(table)}" for table in staged)
    target = literal(str(tables.path("customers")))
    customers = f"SELECT DISTINCT * FROM ({union}) WHERE customer_id IS NOT NULL ORDER BY ALL"
    db.execute(f"COPY ({customers}) TO {target} (FORMAT parquet)")
