"""What is written for Spark means what DuckDB means, and what Spark lacks is said."""

import sys

import pytest
import sqlglot

from features import spark


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("date_diff('second', a, b)", "DATEDIFF(SECOND, DATE_TRUNC('SECOND', a), DATE_TRUNC('SECOND', b))"),
        ("isodow(a)", "(WEEKDAY(a) + 1)"),
        ("quantile_cont(a, 0.9)", "PERCENTILE(a, 0.9D)"),
        ("arg_max(a, b)", "MAX_BY(a, CASE WHEN NOT a IS NULL THEN b END)"),
        ("row_number() OVER ()", "MONOTONICALLY_INCREASING_ID()"),
        ("row_number() OVER w", "ROW_NUMBER() OVER w"),
    ],
)
def test_a_statement_keeps_its_meaning(given: str, written: str) -> None:
    assert sqlglot.parse_one(given, read="duckdb").sql(dialect=spark._Spark) == written


def test_names_of_a_query_become_subqueries_that_are_called_the_same() -> None:
    query = "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT a.x FROM a JOIN b USING (x)"

    written = spark._inlined(sqlglot.parse_one(query, read="duckdb")).sql(dialect=spark._Spark, comments=False)

    assert written == "SELECT a.x FROM (SELECT 1 AS x) AS a JOIN (SELECT x FROM (SELECT 1 AS x) AS a) AS b USING (x)"


def test_prices_of_lost_auctions_are_refused_with_what_to_do() -> None:
    database = spark.SparkDatabase(session=None)  # type: ignore[arg-type]

    with pytest.raises(spark.NotOnSpark, match=r"'won'.*unset ADLOOP_SPARK_MASTER"):
        database.execute("CREATE TABLE a AS SELECT * FROM missed m ASOF JOIN priced p ON m.day = p.day AND m.x >= p.x")


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)

    with pytest.raises(spark.SparkMissing, match=r"adloop\[spark\]"), spark.connect("local[1]"):
        pass
