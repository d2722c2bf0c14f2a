"""`adloop check` and `adloop evaluate`: what your own tables are good for. Nothing is registered or released."""

from pathlib import Path

import click

from features.settings import Settings
from pipelines.commands.options import DATA, FAMILY, JSON, PARAMS, SCHEMA, Days, Moment, schema


@click.command()
@click.option("--data", required=True, help=f"{DATA}.")
@SCHEMA
@click.option("--write", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write the proposal here.")
@JSON
def check(data: str, schema_file: Path | None, target: Path | None, as_json: bool) -> None:
    """Check your tables: what was understood, what is wrong, and a proposed schema file.

    Exits with 1 if the tables cannot be used as they are. All keys of a schema file:

    \b
    zone: Europe/Berlin              # time zone of times without one; default UTC
    tables:
      transactions:
        file: Orders 2024.csv        # or a list of files with the same columns; default transactions.parquet or .csv
        columns: {customer_id: Client No, occurred_at: Date, amount: Total}
        date_format: "%d.%m.%Y %H:%M"   # or epoch_s, epoch_ms; or by column {occurred_at: ...}; default ISO 8601
        decimal: ","                 # 1.234,56
        currency: "€"
        encoding: latin-1            # default UTF-8 or the file's byte order mark
        delimiter: ";"               # default: detected
        na_values: [nan, "NULL"]     # texts that mean a missing value
        ids: clean                   # strip spaces and a trailing .0; default as_is
        missing_ids: drop            # drop rows without a required id; default refuse
        duplicates: drop             # drop rows that are equal in every column; default keep; or refuse
      customers:
        columns: {churned: Status}   # null: the table has no such column
        true_values: [Cancelled]
        false_values: [Active]
    """
    from components.check.step import check as step
    from pipelines import tables
    from pipelines.console import console

    checked = step(data, Settings(), schema(schema_file))
    if as_json:
        click.echo(tables.as_json(checked))
    else:
        tables.show(checked, console())
    if target is not None:
        target.write_text(tables.schema_file(checked), encoding="utf-8")
    if not checked.usable:
        raise SystemExit(1)


@click.command()
@click.argument("family", type=FAMILY)
@click.option("--data", required=True, help=f"{DATA}.")
@click.option("--test", help="Held-out tables of the same form. Default: later dates, or folds, of --data.")
@click.option("--cutoff", type=Moment(), help="Train on data up to this date and test on what follows (2011-06-30).")
@click.option("--horizon", type=Days(), help="How far ahead to predict (180d).")
@SCHEMA
@JSON
@PARAMS
def evaluate(
    family: str,
    data: str,
    test: str | None,
    cutoff: str | None,
    horizon: str | None,
    schema_file: Path | None,
    as_json: bool,
    params_file: Path,
) -> None:
    """Compare FAMILY with the usual baselines on your data, and recommend which to use.

    Trains all of them, tests them on held-out rows and prints a table. Nothing is registered.
    """
    from components.evaluate.step import evaluate as run
    from components.params import load
    from pipelines import evaluation
    from pipelines.console import console, progress

    section, given = load(params_file).section(family), schema(schema_file)
    with progress() as tell:
        evaluated = run(family, data, test, cutoff, horizon, section, Settings(), given, tell)
    if as_json:
        click.echo(evaluation.as_json(evaluated))
    else:
        evaluation.show(evaluated, console())
