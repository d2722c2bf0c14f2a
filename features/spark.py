"""Computes features on Spark, by the same statements as on DuckDB: sqlglot translates them.

`ADLOOP_SPARK_MASTER` names the cluster. All else (memory, executors, `s3a://` credentials, the page of jobs) is Spark's
own configuration: `spark-defaults.conf` under `SPARK_CONF_DIR`, or `PYSPARK_SUBMIT_ARGS`. Executors read the tables
where the driver wrote them, so the folder must be one that they share.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark as Dialect
from sqlglot.generators.spark import SparkGenerator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Where Spark by itself would mean something else than DuckDB: times are in UTC and have no zone, a division by zero is
#: null.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "false",
    "spark.ui.showConsoleProgress": "false",  # it would corrupt JSON output
}


class SparkMissing(RuntimeError):
    """Features are to be computed on Spark, and there is no Spark."""


class NotOnSpark(ValueError):
    """Features that Spark cannot compute."""


@contextmanager
def connect(master: str) -> Iterator["SparkDatabase"]:
    """A session on the cluster `master`, as Spark writes it: `local[2]`, `spark://host:7077`, `k8s://https://…`.

    Raises `SparkMissing`.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as missing:
        raise SparkMissing(
            "ADLOOP_SPARK_MASTER is set, and pyspark is not installed: install adloop[spark]"
        ) from missing
    builder = SparkSession.builder.master(master).appName("adloop")
    for name, value in MEANING.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as fault:
        raise SparkMissing(f"ADLOOP_SPARK_MASTER={master}: Spark does not start, has it Java 17?: {fault}") from fault
    try:
        yield SparkDatabase(session)
    finally:
        session.stop()


class SparkDatabase:
    """A Spark session that takes DuckDB's statements. Its tables are views, of which `CREATE TABLE` keeps the rows."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        self._kept: dict[str, DataFrame] = {}

    def execute(self, query: str) -> None:
        """Make a table or view; see `features.database.Database`."""
        made = sqlglot.parse_one(query, read="duckdb")
        self._name(made.this.name, self._frame(_inlined(made.expression)), kept=made.args["kind"] == "TABLE")

    def sql(self, query: str) -> "SparkRows":
        """What a query finds; see `features.database.Database`."""
        return SparkRows(self._frame(sqlglot.parse_one(query, read="duckdb")))

    def register(self, name: str, given: pd.DataFrame) -> None:
        """Make a frame readable as a view; see `features.database.Database`."""
        self._name(name, self._session.createDataFrame(pa.Table.from_pandas(given, preserve_index=False)), kept=False)

    def _frame(self, query: exp.Expr) -> "DataFrame":
        if any(join.method == "ASOF" for join in query.find_all(exp.Join)):
            raise NotOnSpark(
                "auctions: prices of lost auctions (column 'won') are estimated by DuckDB alone; "
                "unset ADLOOP_SPARK_MASTER for bidding"
            )
        return self._session.sql(query.sql(dialect=_Spark))

    def _name(self, name: str, frame: "DataFrame", kept: bool) -> None:
        before = self._kept.pop(name, None)
        if kept:
            self._kept[name] = frame.persist()
        frame.createOrReplaceTempView(name)
        if before is not None:
            before.unpersist()


class SparkRows:
    """What a query found."""

    def __init__(self, frame: "DataFrame") -> None:
        self._frame = frame

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._frame.collect()]

    def to_arrow_table(self) -> pa.Table:
        """With timestamps as DuckDB has them, without a zone."""
        found = self._frame.toArrow()
        fields = [
            field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
            for field in found.schema
        ]
        return found.cast(pa.schema(fields))

    def df(self) -> pd.DataFrame:
        found: pd.DataFrame = self.to_arrow_table().to_pandas()
        return found


def _inlined(query: exp.Expr) -> exp.Expr:
    """The query with a subquery in place of each name of a `WITH`.

    Spark finds kept rows by the plan that made them, and numbers the names of a plan anew in each query that reads it:
    with names, rows would be computed again every time.
    """
    for named in reversed(list(query.find_all(exp.With))):
        owner, sources = named.parent, {one.alias: one.this for one in named.expressions}
        named.pop()
        exp.expand(owner, sources, dialect="duckdb", copy=False)
    return query


def _difference(write: Any, node: exp.DateDiff) -> str:
    """Seconds as DuckDB counts them, by how often the clock has moved on."""
    ends = [node.expression, node.this]
    if node.unit and node.unit.name.upper() == "SECOND":
        ends = [exp.TimestampTrunc(this=end.copy(), unit=exp.var("SECOND")) for end in ends]
    return str(write.func("DATEDIFF", node.unit or exp.var("DAY"), *ends))


def _window(write: Any, node: exp.Window) -> str:
    """Rows of a file are numbered in its order."""
    if isinstance(node.this, exp.RowNumber) and not (node.args.get("order") or node.args.get("alias")):
        return "MONOTONICALLY_INCREASING_ID()"
    return str(write.window_sql(node))


def _literal(write: Any, node: exp.Literal) -> str:
    """`84.0` is a double, not a decimal."""
    text = str(write.literal_sql(node))
    return f"{text}D" if not node.is_string and "." in text else text


def _latest(write: Any, node: exp.ArgMax) -> str:
    """Rows where what is asked for is null do not count."""
    told = exp.case().when(node.this.copy().is_(exp.null()).not_(), node.expression)
    return str(write.func("MAX_BY", node.this, told))


class _Writer(SparkGenerator):
    TRANSFORMS = {  # noqa: RUF012 - sqlglot's own way
        **SparkGenerator.TRANSFORMS,
        exp.ArgMax: _latest,
        exp.DateDiff: _difference,
        exp.DayOfWeekIso: lambda write, node: f"(WEEKDAY({write.sql(node, 'this')}) + 1)",
        exp.Literal: _literal,
        exp.PercentileCont: lambda write, node: write.func("PERCENTILE", node.this, node.expression),
        exp.Window: _window,
    }


class _Spark(Dialect):
    """Spark's dialect, but for what sqlglot writes with another meaning than DuckDB's."""

    Generator = _Writer
