"""Opens the Parquet or text files of a table as one DuckDB relation."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import ContractBroken
from features.reading import text as texts
from features.schema import TableSchema
from features.tables import SPECS, literal, path

#: Most faults of a file that are reported.
SHOWN = 5
#: Longest line, in bytes.
LONGEST = 1 << 24
_DECIMAL_COMMA = re.compile(r"(?<![\d.])\d+,\d{1,2}(?!\d)")


@dataclass(frozen=True)
class RawTable:
    """The files of a table, unparsed.

    Attributes:
        columns: DuckDB type by header. All columns of text files are VARCHAR.
        sql: the relation, for a FROM clause; the column of header i is called `c<i>`.
        files: row count by file name, in row order.
        text: the text files, in the same order; empty for Parquet.
        zones: IANA time zone of timestamp columns by header, where Parquet stores it.
    """

    table: str
    columns: dict[str, str]
    sql: str
    files: dict[str, int]
    text: tuple[texts.Text, ...]
    zones: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.files.values())

    def place(self, row: int) -> str:
        """File and line (of Parquet: row) of the row with this index (from 0)."""
        for position, (name, count) in enumerate(self.files.items()):
            if row < count:
                return f"file {name}, " + (f"line {self._line(position, row)}" if self.text else f"row {row + 1}")
            row -= count
        raise IndexError(row)

    def _line(self, position: int, row: int) -> int:
        """The line that a record ends in; reads the file up to it."""
        return next(line for nth, (line, _) in enumerate(self.text[position].records()) if nth == row + 1)


def read(
    db: duckdb.DuckDBPyConnection, table: str, files: dict[str, Path], schema: TableSchema, aside: Path
) -> RawTable:
    """Open the files of a table.

    Args:
        files: path by the name to use in errors.
        aside: folder for copies of text files.

    Raises `ContractBroken` with file, line, column and cause where a file is damaged or not in its format.
    """
    for name, file in files.items():
        if file.suffix == ".parquet" and not texts.is_parquet(file):
            cause = "its first bytes are not PAR1" if file.stat().st_size else "it is empty"
            raise ContractBroken(table, "header", "the file is Parquet", cause, where=f"file {name}")
    kinds = {texts.is_parquet(file) for file in files.values()}
    if len(kinds) > 1:
        cause = f"found both: {', '.join(files)}"
        raise ContractBroken(table, "header", "all files of a table are text, or all are Parquet", cause)
    return _parquet(db, table, files) if kinds == {True} else _text(db, table, files, schema, aside)


def _parquet(db: duckdb.DuckDBPyConnection, table: str, files: dict[str, Path]) -> RawTable:
    columns: dict[str, str] = {}
    counts = {}
    for name, file in files.items():
        try:
            described = db.execute(f"DESCRIBE SELECT * FROM read_parquet({path(file)})").fetchall()
            counts[name] = db.execute(f"SELECT count(*) FROM read_parquet({path(file)})").fetchall()[0][0]
        except duckdb.Error as error:
            cause = "it has no columns, is truncated or is damaged"
            hint = "write the file again"
            raise ContractBroken(table, "header", "the file is whole", cause, f"file {name}", hint) from error
        own = {header: kind for header, kind, *_ in described}
        _same_header(table, name, list(columns or own), list(own))
        columns = columns or own
    listed = ", ".join(path(file) for file in files.values())
    names = ", ".join(f"c{place}" for place in range(len(columns)))
    sql = f"(FROM read_parquet([{listed}])) AS files({names})"
    return RawTable(table, columns, sql, counts, (), _zones(next(iter(files.values()))))


def _zones(file: Path) -> dict[str, str]:
    kinds = {column.name: column.type for column in pq.read_schema(file)}
    zoned = {name: kind.tz for name, kind in kinds.items() if pa.types.is_timestamp(kind) and kind.tz}
    return {name: zone for name, zone in zoned.items() if "/" in zone}


def _text(
    db: duckdb.DuckDBPyConnection, table: str, files: dict[str, Path], schema: TableSchema, aside: Path
) -> RawTable:
    opened: list[texts.Text] = []
    staged: list[Path] = []
    counts: dict[str, int] = {}
    for position, (name, file) in enumerate(files.items()):
        copy = aside / f"{table}-{position}.csv"
        text = texts.prepare(table, file, name, copy, schema.encoding, schema.delimiter)
        _refuse_header(table, text)
        _same_header(table, name, list(opened[0].header if opened else text.header), list(text.header))
        opened.append(text)
        staged.append(copy.with_suffix(".parquet"))
        counts[name] = _stage(db, table, text, staged[-1], schema.na_values)
    listed = ", ".join(path(file) for file in staged)
    return RawTable(
        table, dict.fromkeys(opened[0].header, "VARCHAR"), f"read_parquet([{listed}])", counts, tuple(opened)
    )


def _refuse_header(table: str, text: texts.Text) -> None:
    twice = [name for name, count in Counter(text.header).items() if count > 1 and name]
    if twice:
        cause, where = f"'{twice[0]}' appears {text.header.count(twice[0])} times", f"file {text.name}, line 1"
        raise ContractBroken(table, twice[0], "column names are unique", cause, where, "rename one of them")


def _same_header(table: str, name: str, first: Sequence[str], own: Sequence[str]) -> None:
    if list(first) != list(own):
        different = sorted(set(first) ^ set(own)) or list(own)
        cause = f"different: {', '.join(different)}"
        raise ContractBroken(table, different[0], "all files of a table have the same header", cause, f"file {name}")


def _stage(db: duckdb.DuckDBPyConnection, table: str, text: texts.Text, target: Path, missing: Sequence[str]) -> int:
    """Write the records into Parquet as text, blank and `missing` values as null. Returns the number of rows."""
    names = [f"c{place}" for place in range(len(text.header))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    source = (
        f"read_csv({path(text.path)}, auto_detect = false, header = true, delim = {literal(text.delimiter)},"
        f" quote = '\"', escape = '\"', columns = {{{columns}}}, strict_mode = true, store_rejects = true,"
        f" rejects_limit = {SHOWN}, max_line_size = {LONGEST}, skip = {int(text.introduced)},"
        f" compression = '{text.compression}')"
    )
    listed = ", ".join(literal(one) for one in ("", *(one.strip() for one in missing)))
    filled = ", ".join(f"CASE WHEN trim({name}) NOT IN ({listed}) THEN {name} END AS {name}" for name in names)
    for name in ("reject_errors", "reject_scans"):
        db.execute(f"DROP TABLE IF EXISTS {name}")
    try:
        copied = db.execute(
            f"COPY (SELECT {filled} FROM {source}) TO {literal(str(target))} (FORMAT parquet)"
        ).fetchall()
    except duckdb.InvalidInputException as error:
        cause = f"it cannot be split into lines and columns with the delimiter '{text.delimiter}'"
        raise ContractBroken(table, text.header[0], "the file is CSV", cause, where=f"file {text.name}") from error
    _refuse_records(db, table, text)
    return int(copied[0][0])


def _refuse_records(db: duckdb.DuckDBPyConnection, table: str, text: texts.Text) -> None:
    faults = db.execute(
        "SELECT line_byte_position, any_value(error_type::VARCHAR), max(column_idx), any_value(column_name),"
        f" any_value(csv_line) FROM reject_errors GROUP BY 1 ORDER BY 1 LIMIT {SHOWN}"
    ).fetchall()
    if not faults:
        return
    rows = [
        {"line": text.line(position), "cause": _cause(text, kind, found), "record": record.strip().split("\n")[0][:120]}
        for position, kind, found, _, record in faults
    ]
    _, kind, found, name, record = faults[0]
    loose = kind == "TOO MANY COLUMNS" and text.delimiter == "," and _DECIMAL_COMMA.search(record)
    numbers = [header for header in text.header if header in SPECS[table] and SPECS[table][header].type == "DOUBLE"]
    hint = "quote values that hold the delimiter, and double a quotation mark inside a quoted value"
    if loose:
        hint = "a number with a decimal comma holds the delimiter: quote it, or write the file with another delimiter"
    if len(text.header) == 1 and kind == "TOO MANY COLUMNS":
        hint = f"the first line is read as the header, and has one name: '{text.header[0]}'"
    column = numbers[0] if loose and numbers else _header_of(text, name, found)
    rule = f"each line has one value for each of the {len(text.header)} columns of the header"
    raise ContractBroken(table, column, rule, rows, f"file {text.name}, line {rows[0]['line']}", hint)


def _cause(text: texts.Text, kind: str, found: int) -> str:
    causes = {
        "MISSING COLUMNS": f"it has {found} values",
        "TOO MANY COLUMNS": f"it has {found} values or more",
        "UNQUOTED VALUE": "a quotation mark is not closed, or is inside a quoted value",
        "LINE SIZE OVER MAXIMUM": f"it is longer than {LONGEST:,} bytes: a quotation mark may not be closed",
    }
    return causes.get(kind, f"it cannot be split with the delimiter '{text.delimiter}'")


def _header_of(text: texts.Text, name: str | None, found: int) -> str:
    """The header to report a fault under: the one that DuckDB names, or the last where a line has too many values."""
    place = int(name[1:]) if name else found
    return text.header[min(place, len(text.header) - 1)]
