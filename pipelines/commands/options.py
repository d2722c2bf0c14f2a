"""Options that several subcommands share, and the types of their values."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.catalog import NAMES

if TYPE_CHECKING:
    from features.schema import Schema

FAMILY = click.Choice(NAMES)
DATA = "Folder or s3:// prefix with your tables"
PARAMS = click.option(
    "--params",
    "params_file",
    type=click.Path(exists=True, path_type=Path),
    default="params.yaml",
    show_default=True,
    help="Parameters file.",
)
SCHEMA = click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Schema file (YAML): how your columns and formats map to these tables. `adloop check` proposes one.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class AboveZero(click.FloatRange):
    """A finite number above zero."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = float(super().convert(value, param, ctx))
        if not found > 0:  # NaN is neither below nor above
            self.fail(f"expected a number above 0, got {value}", param, ctx)
        return found


class Moment(click.ParamType):
    """A date or time, in UTC where it names a zone."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        import pandas as pd

        found = _parsed(pd.Timestamp, value)
        if found is None:
            self.fail(f"expected a date such as 2011-06-30, got {value}", param, ctx)
        return str(value) if found.tzinfo is None else found.tz_convert("UTC").tz_localize(None).isoformat()


class Days(click.ParamType):
    """A span of a day at least."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        import pandas as pd

        found = _parsed(pd.Timedelta, value)
        if found is None or found < pd.Timedelta(days=1):
            self.fail(f"expected a day at least, such as 180d, got {value}", param, ctx)
        return str(value)


def _parsed(kind: Any, value: object) -> Any:
    """The value as this type of pandas; None where it is none of it, NaT included."""
    try:
        found = kind(str(value))
    except ValueError:
        return None
    return found if found == found else None


def schema(file: Path | None) -> "Schema":
    """The schema in a file; without one, tables are read as they are."""
    from features.schema import Schema, load

    return Schema() if file is None else load(file)
