"""Joins tables that were read a day at a time: `<table>/<day>.parquet`."""

from collections.abc import Iterable
from pathlib import Path

from features.database import connect
from features.tables import ENTITIES, SPECS, Tables, path, quoted


def join(parts: Iterable[Path], out: Path) -> Tables:
    """Write each canonical table that has parts to the folder `out`, whole or not at all.

    Of a customer or creative with rows on several days the last day's counts.
    """
    files = list(parts)
    keys = {table: key for key, table in ENTITIES.items()}
    out.mkdir(parents=True, exist_ok=True)
    with connect() as db:
        for table in SPECS:
            found = sorted(one for one in files if one.parent.name == table)
            if not found:
                continue
            listed = ", ".join(path(one) for one in found)
            query = f"SELECT *, filename AS part FROM read_parquet([{listed}], union_by_name = true, filename = true)"
            if table in keys:
                rank = f"row_number() OVER (PARTITION BY {quoted(keys[table])} ORDER BY parse_filename(part) DESC)"
                query += f" QUALIFY {rank} = 1"
            aside = out / f".{table}.parquet"
            db.execute(f"COPY (SELECT * EXCLUDE (part, filename) FROM ({query})) TO {path(aside)} (FORMAT parquet)")
            aside.replace(out / f"{table}.parquet")
    return Tables(out)
