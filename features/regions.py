"""Outcomes by region and day, from one file."""

from pathlib import Path

import pandas as pd

from features.database import connect
from features.tables import path, quoted


def read(file: Path, region: str, day: str, value: str) -> pd.DataFrame:
    """A row a day and a column a region; rows of the same region and day are added up.

    Args:
        file: CSV or Parquet, with a row a region and day.
        region, day, value: names of its columns.

    Raises:
        ValueError: a column is missing, a value is not what its column holds, or a region has no row for a day; names
            file and column.
    """
    reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
    with connect() as db:
        relation = f"{reader}({path(file)})"
        there = [str(name) for name, *_ in db.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
        for name, option in ((region, "--region"), (day, "--day"), (value, "--value")):
            if name not in there:
                raise ValueError(f"{file}, column '{name}' ({option}): expected one of its columns, {', '.join(there)}")
        parts = f"""SELECT {quoted(region)}::VARCHAR AS region, TRY_CAST({quoted(day)} AS DATE)::TIMESTAMP AS day,
                    TRY_CAST({quoted(value)} AS DOUBLE) AS value FROM {relation}"""
        for name, column, expected in (
            (region, "region", "a name"),
            (day, "day", "a date"),
            (value, "value", "a number"),
        ):
            (wrong,) = db.execute(f"SELECT count(*) FROM ({parts}) WHERE {column} IS NULL").fetchall()[0]
            if wrong:
                raise ValueError(f"{file}, column '{name}': expected {expected}, got something else in {wrong} rows")
        sums = db.execute(f"SELECT region, day, sum(value) AS value FROM ({parts}) GROUP BY ALL ORDER BY ALL").df()
    panel = sums.pivot(index="day", columns="region", values="value").asfreq("D")
    rows, columns = panel.isna().to_numpy().nonzero()
    if len(rows):
        at, name = pd.Timestamp(panel.index[rows[0]]).date(), panel.columns[columns[0]]
        raise ValueError(f"{file}: expected a row for each region and day, got none for {name} on {at}")
    return panel
