"""Options that several subcommands share."""

from pathlib import Path
from typing import TYPE_CHECKING

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


def schema(file: Path | None) -> "Schema":
    """The schema in a file; without one, tables are read as they are."""
    from features.schema import Schema, load

    return Schema() if file is None else load(file)
