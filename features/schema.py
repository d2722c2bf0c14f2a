"""The schema file: how to convert user files into the canonical tables."""

import codecs
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from features.tables import SPECS
from features.time_zones import time_zones

#: Formats for epoch times (since 1970, UTC).
EPOCHS = {"epoch_s": 1, "epoch_ms": 1000}


def _zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError(f"'{name}' is not an IANA time zone; expected a name such as Europe/Berlin or UTC")
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(
            f"'{name}' is not an encoding; expected one such as utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return name


def _date_format(given: str) -> str:
    if given not in EPOCHS and "%" not in given:
        raise ValueError(f"'{given}' is not a format; expected one such as %d.%m.%Y %H:%M, or {' or '.join(EPOCHS)}")
    return given


def _listed(given: Any) -> Any:
    return tuple([given] if isinstance(given, str) else given) if isinstance(given, str | list) else given


Zone = Annotated[str, AfterValidator(_zone)]
DateFormat = Annotated[str, AfterValidator(_date_format)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class TableSchema(BaseModel):
    """How to read one table. Omitted settings are detected; ambiguous values are refused.

    Attributes:
        file: name of its file in the folder, or of several with the same columns; default `<table>.parquet`, `.csv`.
        columns: header in the file by canonical name; null if the file has no such column.
        date_format: strptime format of timestamps (`%d.%m.%Y %H:%M`), or `epoch_s` or `epoch_ms`; a mapping by column
            where they differ. Default: ISO 8601.
        zone: IANA time zone of local times. Default: UTC.
        decimal: decimal sign; the other sign may group thousands.
        currency: sign or code in amounts, to be removed.
        encoding, delimiter: of a text file. Default: the byte order mark, else UTF-8; the header's delimiter.
        na_values: texts that mean a missing value.
        true_values, false_values: texts for yes and no, in addition to true, yes, y, t, 1 and false, no, n, f, 0.
        ids: `as_is`, or `clean`: strip spaces and the `.0` of a number.
        missing_ids: `refuse` rows without a required id, or `drop` them.
        duplicates: rows that are equal in every column: `keep` and count them, `drop` all but one, or `refuse` the
            table.
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
            raise ValueError(f"columns: the header '{twice[0]}' is mapped to two columns; expected one")
        return self

    def format_of(self, column: str) -> str | None:
        """The timestamp format of `column`, None if the schema has none."""
        return self.date_format.get(column) if isinstance(self.date_format, dict) else self.date_format


class Schema(BaseModel):
    """A schema file.

    Attributes:
        zone: default time zone of the tables.
        tables: settings by canonical table. Omitted tables use the defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    zone: Zone | None = None
    tables: dict[str, TableSchema] = {}

    @model_validator(mode="after")
    def _known_tables(self) -> "Schema":
        for table in self.tables:
            if table not in SPECS:
                raise ValueError(f"tables: '{table}' is unknown; expected {', '.join(SPECS)}")
        return self

    def of(self, table: str) -> TableSchema:
        """The settings of `table`, with the default zone filled in."""
        own = self.tables.get(table, TableSchema())
        return own if own.zone or not self.zone else own.model_copy(update={"zone": self.zone})

    def plain(self) -> dict[str, Any]:
        """The explicit settings as plain values for JSON or YAML."""
        return self.model_dump(mode="json", exclude_defaults=True)


def load(file: Path) -> Schema:
    """Read a schema file. Raises `ValueError` with the key that is unknown or has an invalid value."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: expected YAML: {error}") from error
    return read(written or {}, str(file))


def read(written: Any, name: str = "the schema") -> Schema:
    """Parse a schema from plain values; errors call it `name`. Raises `ValueError`."""
    try:
        return Schema.model_validate(written)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()]
        raise ValueError(f"{name}: {'; '.join(faults)}") from error


def write(schema: Schema) -> str:
    """The schema as YAML."""
    text: str = yaml.safe_dump(schema.plain(), sort_keys=False, allow_unicode=True)
    return text
