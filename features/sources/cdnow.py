"""Source CDNOW: 18 months of purchases by the 23,570 customers who first bought in the first quarter of 1997."""

from importlib.util import find_spec
from pathlib import Path

import duckdb

from features.tables import literal, path

TABLES = ("customers", "transactions")

_PURCHASES = """
    SELECT columns[1] AS customer_id,
           strptime(columns[2], '%Y%m%d') AS occurred_at,
           columns[4]::DOUBLE AS amount,
           columns[3]::DOUBLE AS quantity,
           'web' AS channel
    FROM (SELECT string_split_regex(trim(line), '\\s+') AS columns
          FROM (SELECT unnest(string_split(content, chr(10))) AS line FROM read_text({path}))
          WHERE line SIMILAR TO '\\s*[0-9].*')
    ORDER BY occurred_at, customer_id, amount
"""


def files() -> list[Path]:
    """The file inside the package `lifetimes`. Raises `FileNotFoundError` where that is not installed."""
    spec = find_spec("lifetimes")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the source cdnow needs the package lifetimes, which carries its data")
    return [Path(spec.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"]


def read(destination: Path) -> None:
    """Write the canonical tables into `destination`."""
    purchases = _PURCHASES.format(path=literal(str(files()[0])))
    transactions, customers = (literal(str(destination / f"{name}.parquet")) for name in ("transactions", "customers"))
    with duckdb.connect() as db:
        db.execute(f"COPY ({purchases}) TO {transactions} (FORMAT parquet)")
        written = path(destination / "transactions.parquet")
        distinct = f"SELECT DISTINCT customer_id FROM read_parquet({written}) ORDER BY customer_id"
        db.execute(f"COPY ({distinct}) TO {customers} (FORMAT parquet)")
