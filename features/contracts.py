"""Contracts of the canonical tables, checked by Great Expectations before anything is published."""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from features.attribute_names import safe
from features.tables import ENTITIES, REFERRING, SPECS, Column, Tables, quoted

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import ColumnMapExpectation

#: Valid range of timestamps; catches mistyped years.
EARLIEST, LATEST = 1970, 2100
#: Most offending rows in an error.
SHOWN = 5
#: Columns that the check adds: whether a row's entity is in its table, and whether a value is within that of another
#: column.
KNOWN, WITHIN = "{} is known", "{} is within its limit"


class ContractBroken(ValueError):
    """A table breaks its contract.

    Attributes:
        table, column: where.
        rule: the violated rule.
        rows: some of the rows that break it, or the cause where it is not about rows.
        where: file and line, where known.
        hint: what to do.
        mend: schema entries that fix the table, by key of `features.schema.TableSchema`.
    """

    def __init__(
        self,
        table: str,
        column: str,
        rule: str,
        rows: Sequence[Mapping[Any, Any]] | str,
        where: str = "",
        hint: str = "",
        mend: Mapping[str, Any] | None = None,
    ) -> None:
        place = f" ({where})" if where else ""
        shown = rows if isinstance(rows, str) else ", ".join(_shown(row, column) for row in rows[:SHOWN])
        advice = [hint] if hint else []
        advice += [f"set in a schema file {in_schema(table, mend)}"] if mend else []
        what = f". What to do: {'; '.join(advice)}" if advice else ""
        super().__init__(f"table '{table}', column '{column}'{place}: {rule}. Broken by: {shown}{what}")
        self.table, self.column, self.rule, self.rows = table, column, rule, rows
        self.where, self.hint, self.mend = where, hint, mend or {}


def in_schema(table: str, mend: Mapping[str, Any]) -> str:
    """Schema entries of a table on one line of YAML."""
    text: str = yaml.safe_dump(
        {"tables": {table: dict(mend)}}, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return text.strip()


def _shown(row: Mapping[Any, Any], column: str) -> str:
    """A row for an error: its first values and that of the column, shortened."""
    names = [name for place, name in enumerate(row) if place < 6 or name == column]
    values = [f"{name}: {str(row[name])[:120]}" for name in names]
    return "{" + ", ".join([*values, "…"] if len(row) > len(names) else values) + "}"


def check(folder: Path) -> None:
    """Check the tables in `folder`. Raises `ContractBroken` at the first violated rule."""
    tables = Tables(folder)
    if not tables.names:
        raise ContractBroken("customers", "customer_id", "the table is required", "no tables found")
    for key, entities in ENTITIES.items():  # auctions alone need none
        if entities not in tables.names and REFERRING[key].intersection(tables.names):
            raise ContractBroken(entities, key, "the table is required", f"tables found: {tables.names}")
    for table in tables.names:
        _check_columns(tables, table)
        _validate(tables, table, [name for name in SPECS[table] if name in tables.columns(table)])
    for table in ENTITIES.values():
        _check_attributes(tables, table)


def _check_columns(tables: Tables, table: str) -> None:
    columns = tables.columns(table)
    for name, column in SPECS[table].items():
        if column.required and name not in columns:
            raise ContractBroken(table, name, "column is required", f"columns found: {', '.join(columns)}")
        if name in columns and columns[name] != column.type:
            raise ContractBroken(table, name, f"is of type {column.type}", f"it is {columns[name]}")


def _check_attributes(tables: Tables, table: str) -> None:
    for name in tables.attributes(table):
        if (other := safe(name, (), table)) != name:
            hint = f"rename it, for example to {other}"
            raise ContractBroken(table, name, "the name of an attribute is not reserved", name, hint=hint)


def suite(table: str, columns: Sequence[str]) -> dict[str, "ColumnMapExpectation"]:
    """The expectations for a table with these columns, by their description."""
    from features.lean_expectations import gxe

    rules: dict[str, ColumnMapExpectation] = {}
    for name in columns:
        if SPECS[table][name].required:
            rules[f"{name} is required"] = gxe.ExpectColumnValuesToNotBeNull(column=name)
        if SPECS[table][name].type == "TIMESTAMP":
            rules[f"{name} is between {EARLIEST} and {LATEST}"] = gxe.ExpectColumnValuesToBeBetween(
                column=name, min_value=EARLIEST, max_value=LATEST
            )
        if SPECS[table][name].type == "DOUBLE":
            rules[f"{name} is finite"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=-1e12, max_value=1e12)
        rules |= _limits(name, SPECS[table][name])
    for key, entities in ENTITIES.items():
        if table == entities:
            rules[f"{key} is unique"] = gxe.ExpectColumnValuesToBeUnique(column=key)
        elif table in REFERRING[key]:
            known = gxe.ExpectColumnValuesToBeInSet(column=KNOWN.format(key), value_set=[True])
            rules[f"{key} is in the table {entities}"] = known
    return rules


def _limits(name: str, column: Column) -> dict[str, "ColumnMapExpectation"]:
    from features.lean_expectations import gxe

    rules: dict[str, ColumnMapExpectation] = {}
    if column.only:
        among = " or ".join(value if isinstance(value, str) else f"{value:g}" for value in column.only)
        rules[f"{name} is {among}"] = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(column.only))
    if column.least is not None:
        most = "" if column.most is None else f" and at most {column.most:g}"
        rules[f"{name} is at least {column.least:g}{most}"] = gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column.least, max_value=column.most
        )
    if column.most_column is not None:
        rules[f"{name} is at most {column.most_column}"] = gxe.ExpectColumnValuesToBeInSet(
            column=WITHIN.format(name), value_set=[True]
        )
    return rules


def _validate(tables: Tables, table: str, columns: list[str]) -> None:
    rules = suite(table, columns)
    added = {form.format(name): name for name in columns for form in (KNOWN, WITHIN)}
    asked = sorted({rule.column for rule in rules.values()})
    broken = _first_broken(rules, _frame(tables, table, asked))
    if broken is not None:
        words, places = broken
        column = rules[words].column
        raise ContractBroken(table, added.get(column, column), words, _offending(tables, table, places))


def _frame(tables: Tables, table: str, columns: Sequence[str]) -> pd.DataFrame:
    """The checked columns, in file order."""
    computed = {}
    for key, entities in ENTITIES.items():
        there = f"SELECT {key} FROM {tables.sql(entities)}"
        computed[KNOWN.format(key)] = f"coalesce({key} IN ({there}), true)"
    for name, column in SPECS[table].items():
        computed[WITHIN.format(name)] = f"coalesce({quoted(name)} <= {quoted(column.most_column or name)}, true)"
    fields = ", ".join(f"{computed.get(name) or _comparable(table, name)} AS {quoted(name)}" for name in columns)
    with tables.connect() as db:
        return db.execute(f"SELECT {fields} FROM {tables.sql(table)} ORDER BY file_row_number").df()


def _comparable(table: str, name: str) -> str:
    """SQL of a column as numbers where its rules allow it, which Great Expectations compares many times faster: of a
    timestamp its year, of a text that may be any only whether it is there."""
    column = SPECS[table][name]
    if column.type == "TIMESTAMP":
        return f"year({quoted(name)})::DOUBLE"
    if column.type == "VARCHAR" and not column.only and ENTITIES.get(name) != table:
        return f"CASE WHEN {quoted(name)} IS NOT NULL THEN 0::DOUBLE END"
    return quoted(name)


def _first_broken(rules: "Mapping[str, ColumnMapExpectation]", frame: pd.DataFrame) -> tuple[str, Sequence[int]] | None:
    """The first rule that does not hold, with the places of some rows that break it; None where all hold.

    Only that rule's rows are looked for: doing so for every rule takes almost as long again as checking them.
    """
    from features.lean_expectations import gx

    batch = _frames().get_batch({"dataframe": frame})
    told = batch.validate(gx.ExpectationSuite("rules", list(rules.values())), result_format="BOOLEAN_ONLY")
    for words, result in zip(rules, told.results, strict=True):
        if not result.success:
            options = {"result_format": "SUMMARY", "partial_unexpected_count": SHOWN}
            broken = batch.validate(rules[words], result_format=options)
            return words, broken.result["partial_unexpected_index_list"]
    return None


@cache
def _frames() -> Any:
    """The definition of a batch that is a whole frame: made once, as that takes as long as checking four rules."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from features.lean_expectations import gx

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("staged").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all")


def _offending(tables: Tables, table: str, places: Sequence[int]) -> list[dict[Any, Any]]:
    """The complete rows at these indices."""
    with tables.connect() as db:
        query = f"SELECT * FROM {tables.sql(table)} WHERE list_contains($places, file_row_number)"
        return db.execute(query, {"places": [int(place) for place in places]}).df().to_dict("records")
