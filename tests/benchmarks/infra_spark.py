"""Features on Spark beside DuckDB: are they equal, and how fast is each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from features import offline, sources
from features.settings import Settings
from features.tables import Tables
from features.transforms import CUSTOMER

#: Spark on this machine alone, with as many partitions as it has cores, not hundreds that are nearly empty.
_HERE = (
    "--conf spark.sql.adaptive.enabled=false --conf spark.ui.enabled=false "
    "--conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1"
)
SPARK = (
    f"{_HERE} --driver-memory 2g --conf spark.sql.shuffle.partitions={os.cpu_count()} "
    "--driver-java-options -XX:+UseSerialGC pyspark-shell"
)
#: Spark on little data: compiled code costs more than it saves, as it does not on all of it.
PLAIN_SPARK = (
    f"{_HERE} --conf spark.sql.shuffle.partitions=1 "
    "--conf spark.sql.codegen.wholeStage=false --conf spark.sql.codegen.factoryMode=NO_CODEGEN "
    "--conf spark.sql.subexpressionElimination.enabled=false "
    "--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' pyspark-shell"
)
NAMES = ("infra.spark_equal", "infra.rows_per_s_spark_vs_duckdb")
SERVICE, MONTHS = "churn_v1", 6


def rows(settings: Settings) -> list[dict[str, Any]]:
    """Both rows, or why there are none."""
    if find_spec("pyspark") is None or which("java") is None:
        return [{"name": name, "absent": "needs pyspark (adloop[spark]) and Java"} for name in NAMES]
    with TemporaryDirectory() as temporary, _configured():
        folder = Path(temporary)
        sources.read(["complete_journey"], folder / "tables", settings)
        tables = Tables(folder / "tables", settings.limits)
        spine, last = pd.read_parquet(tables.path("customers"), columns=["customer_id"]), CUSTOMER.latest(tables, None)
        moments = [last - pd.Timedelta(days=28 * month) for month in range(MONTHS)]
        spine = pd.concat([spine.assign(event_timestamp=moment) for moment in moments])
        built = [_built(tables, spine, folder / str(master), master) for master in (None, f"local[{os.cpu_count()}]")]
    (duckdb, seconds), (spark, longer) = built
    equal = min(equal_cells(duckdb[view], spark[view]) for view in duckdb)
    unit = f"of DuckDB's, {len(spine)} rows of {SERVICE} on one machine, start of Spark included"
    return [
        {"name": NAMES[0], "value": equal, "goal": ">= 1", "unit": "share of cells, floats to 1e-9"},
        {"name": NAMES[1], "value": seconds / longer, "unit": unit},
    ]


def equal_cells(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """The share of cells that are equal, numbers to a relative 1e-9, in the least equal column; 0 where columns or
    rows differ."""
    if list(one) != list(other) or len(one) != len(other):
        return 0.0
    keys = list(one.columns[:2])
    one, other = (frame.sort_values(keys, ignore_index=True) for frame in (one, other))
    return min(float(_equal(one[name], other[name]).mean()) for name in one)


def _equal(one: "pd.Series[Any]", other: "pd.Series[Any]") -> "np.ndarray[Any, Any]":
    if one.dtype != other.dtype:
        return np.zeros(len(one), dtype=bool)
    if one.dtype.kind == "f":
        return np.isclose(one, other, rtol=1e-9, atol=0, equal_nan=True)
    return ((one == other) | (one.isna() & other.isna())).to_numpy(dtype=bool)


@contextmanager
def _configured() -> Iterator[None]:
    """Spark that listens on this machine alone, unless it is configured."""
    before = os.environ.get("PYSPARK_SUBMIT_ARGS")
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", SPARK)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYSPARK_SUBMIT_ARGS"]


def _built(
    tables: Tables, spine: pd.DataFrame, home: Path, master: str | None
) -> tuple[dict[str, pd.DataFrame], float]:
    """The views, and the seconds they took."""
    begun = perf_counter()
    built = offline.build(tables, SERVICE, spine, None, Settings(home=home, spark_master=master))
    seconds = perf_counter() - begun
    return {file.stem: pd.read_parquet(file) for file in Path(built.folder).glob("*.parquet")}, seconds
