"""The schema file: how somebody's own files become the canonical tables, where they are not in that form already."""

import codecs
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from features.tables import SPECS

#: Times counted from 1970 in UTC, in place of a format.
EPOCHS = {"epoch_s": 1, "epoch_ms": 1000}


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no IANA time zone; expected a name such as Europe/Berlin or UTC")
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"'{name}' is no encoding; expected one such as utf-8, latin-1, cp1252 or utf-16") from None
    return name


def _date_format(given: str) -> str:
    if given not in EPOCHS and "%" not in given:
        raise ValueError(f"'{given}' is no format; expected one such as %d.%m.%Y %H:%M, or {' or '.join(EPOCHS)}")
    return given


def _listed(given: Any) -> Any:
    return tuple([given] if isinstance(given, str) else given) if isinstance(given, str | list) else given


Zone = Annotated[str, AfterValidator(_zone)]
DateFormat = Annotated[str, AfterValidator(_date_format)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class TableSchema(BaseModel):
    """How one table is to be read. What is not said is found out, or refused where it cannot be known.

    Attributes:
        file: name of its file in the folder, or of several with the same columns; default `<table>.parquet`, `.csv`.
        columns: header in the file by canonical name; null says that the file has no such column.
        date_format: of its moments, as in strptime (`%d.%m.%Y %H:%M`), or `epoch_s` or `epoch_ms`; by column where
            they differ. Default: ISO 8601.
        zone: IANA name of the clock that times without a zone were read from. Default: UTC.
        decimal: the decimal sign, where numbers may also be grouped in thousands by the other sign.
        currency: a sign or code beside amounts, to be left out.
        encoding, delimiter: of a text file. Default: UTF-8, or what a byte order mark says; the header's delimiter.
        na_values: texts that stand for a missing value.
        true_values, false_values: texts that stand for yes and no beside true, yes, y, t, 1 and false, no, n, f, 0.
        ids: `as_is`, or `clean`: without spaces around them, and without the `.0` of a number.
        missing_ids: `refuse` a row without a required id, or `drop` it.
        duplicates: rows that are the same in every column: `keep` them (and say how many), `drop` all but one, or
            `refuse` the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: Texts = ()
    columns: dict[str, str | None] = {}
    date_format: DateFormat | dict[str, DateFormat] | None = None
    zone: Zone | None = None
    decimal: Literal[".", ","] | None = None
    currency: Annotated[str, Field(min_length=1)] | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    na_values: Texts = ()
    true_values: Texts = ()
    false_values: Texts = ()
    ids: Literal["as_is", "clean"] = "as_is"
    missing_ids: Literal["refuse", "drop"] = "refuse"
    duplicates: Literal["keep", "drop", "refuse"] = "keep"

    @model_validator(mode="after")
    def _one_header_one_column(self) -> "TableSchema":
        headers = [header for header in self.columns.values() if header is not None]
        twice = sorted({header for header in headers if headers.count(header) > 1})
        if twice:
            raise ValueError(f"columns: the header '{twice[0]}' is given to two columns")
        return self

    def format_of(self, column: str) -> str | None:
        """The format of the moments in `column`, where one is given."""
        return self.date_format.get(column) if isinstance(self.date_format, dict) else self.date_format


class Schema(BaseModel):
    """All of a schema file.

    Attributes:
        zone: of every table that names none itself.
        tables: by canonical table. A table that is not named is read as its file stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    zone: Zone | None = None
    tables: dict[str, TableSchema] = {}

    @model_validator(mode="after")
    def _known_tables(self) -> "Schema":
        for table in self.tables:
            if table not in SPECS:
                raise ValueError(f"tables: '{table}' is none; expected {', '.join(SPECS)}")
        return self

    def of(self, table: str) -> TableSchema:
        """How `table` is to be read, its zone filled in."""
        own = self.tables.get(table, TableSchema())
        return own if own.zone or not self.zone else own.model_copy(update={"zone": self.zone})

    def plain(self) -> dict[str, Any]:
        """What was said, as plain values for JSON or YAML."""
        return self.model_dump(mode="json", exclude_defaults=True)


def load(file: Path) -> Schema:
    """Read a schema file. Raises `ValueError` naming the key that is unknown or has a value that cannot be meant."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: is no YAML: {error}") from error
    return read(written or {}, str(file))


def read(written: Any, name: str = "the schema") -> Schema:
    """The schema of plain values; `name` is what errors call it. Raises `ValueError`."""
    try:
        return Schema.model_validate(written)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()]
        raise ValueError(f"{name}: {'; '.join(faults)}") from error


def write(schema: Schema) -> str:
    """The text of a schema file."""
    text: str = yaml.safe_dump(schema.plain(), sort_keys=False, allow_unicode=True)
    return text
