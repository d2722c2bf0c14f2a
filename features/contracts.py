"""Contracts of the canonical tables, checked by Great Expectations before anything is published."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import yaml

from features.attribute_names import safe
from features.tables import OF_CUSTOMERS, SPECS, Column, Tables, quoted

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import ColumnMapExpectation

#: Valid range of timestamps; catches mistyped years.
EARLIEST, LATEST = 1970, 2100
#: Most offending rows in an error.
SHOWN = 5
#: Column that the check adds to event tables: whether the customer is in `customers`.
KNOWN = "customer is known"


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
    # Auctions alone need no customers.
    if "customers" not in tables.names and (OF_CUSTOMERS.intersection(tables.names) or not tables.names):
        raise ContractBroken("customers", "customer_id", "the table is required", f"tables found: {tables.names}")
    for table in tables.names:
        columns = tables.columns(table)
        for name, column in SPECS[table].items():
            if column.required and name not in columns:
                raise ContractBroken(table, name, "column is required", f"columns found: {', '.join(columns)}")
            if name in columns and columns[name] != column.type:
                raise ContractBroken(table, name, f"is of type {column.type}", f"it is {columns[name]}")
        _validate(tables, table, [name for name in SPECS[table] if name in columns])
    for name in tables.attributes():
        if safe(name, ()) != name:
            hint = f"rename it, for example to {safe(name, ())}"
            raise ContractBroken("customers", name, "the name of an attribute is not reserved", name, hint=hint)


def suite(table: str, columns: Sequence[str]) -> dict[str, "ColumnMapExpectation"]:
    """The expectations for a table with these columns, by their description."""
    import great_expectations.expectations as gxe

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
    if table == "customers":
        rules["customer_id is unique"] = gxe.ExpectColumnValuesToBeUnique(column="customer_id")
    elif table in OF_CUSTOMERS:
        rules["customer_id is in the table customers"] = gxe.ExpectColumnValuesToBeInSet(column=KNOWN, value_set=[True])
    return rules


def _limits(name: str, column: Column) -> dict[str, "ColumnMapExpectation"]:
    import great_expectations.expectations as gxe

    rules: dict[str, ColumnMapExpectation] = {}
    if column.only:
        among = " or ".join(f"{value:g}" for value in column.only)
        rules[f"{name} is {among}"] = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(column.only))
    if column.least is not None:
        most = "" if column.most is None else f" and at most {column.most:g}"
        rules[f"{name} is at least {column.least:g}{most}"] = gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column.least, max_value=column.most
        )
    return rules


def _validate(tables: Tables, table: str, columns: list[str]) -> None:
    rules = suite(table, columns)
    asked = sorted({rule.column for rule in rules.values()})
    results = _results(list(rules.values()), _frame(tables, table, asked))
    for (words, rule), result in zip(rules.items(), results, strict=True):
        if not result.success:
            column = "customer_id" if rule.column == KNOWN else rule.column
            places = result.result["partial_unexpected_index_list"]
            raise ContractBroken(table, column, words, _offending(tables, table, places))


def _frame(tables: Tables, table: str, columns: Sequence[str]) -> pd.DataFrame:
    """The checked columns, in file order."""
    known = f"coalesce(customer_id IN (SELECT customer_id FROM {tables.sql('customers')}), true)"
    fields = ", ".join(f"{known if name == KNOWN else _comparable(table, name)} AS {quoted(name)}" for name in columns)
    with duckdb.connect() as db:
        return db.execute(f"SELECT {fields} FROM {tables.sql(table)} ORDER BY file_row_number").df()


def _comparable(table: str, name: str) -> str:
    """SQL of a timestamp as its year: Great Expectations compares numbers a hundred times faster than timestamps."""
    return f"year({quoted(name)})::DOUBLE" if SPECS[table][name].type == "TIMESTAMP" else quoted(name)


def _results(rules: "list[ColumnMapExpectation]", frame: pd.DataFrame) -> list[Any]:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("staged").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    options = {"result_format": "SUMMARY", "partial_unexpected_count": SHOWN}
    return [batch.validate(rule, result_format=options) for rule in rules]


def _offending(tables: Tables, table: str, places: Sequence[int]) -> list[dict[Any, Any]]:
    """The complete rows at these indices."""
    with duckdb.connect() as db:
        query = f"SELECT * FROM {tables.sql(table)} WHERE list_contains($places, file_row_number)"
        return db.execute(query, {"places": [int(place) for place in places]}).df().to_dict("records")
