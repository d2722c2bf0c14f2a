"""A folder of replay files as Cai et al. (2017) published iPinYou's: `<campaign>.validation.txt`, gzipped or not.

The first line ends with the auctions in an episode. An episode is a line with its number, then a line an auction:
click, market price and predicted click rate, parted by tabs. See github.com/han-cai/rlb-dp.
"""

import tempfile
from pathlib import Path

import duckdb

from features import lake
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import literal, path

TABLES = ("auctions",)
_ENDINGS = (".validation.txt.gz", ".validation.txt")

# DuckDB keeps the order of a file's lines, and both windows run along it as it streams. Line 0 is the head; a line
# without a price begins an episode.
_PLACED = """
    SELECT *, count(*) FILTER (place > 0 AND market_price IS NULL) OVER (ROWS UNBOUNDED PRECEDING) AS episode
    FROM (SELECT *, row_number() OVER () - 1 AS place FROM {lines})
"""

_AUCTIONS = """
    SELECT {campaign} AS campaign_id, episode, market_price::DOUBLE AS market_price, click::DOUBLE AS click,
           predicted_ctr::DOUBLE AS predicted_ctr
    FROM ({placed})
    WHERE place > 0 AND market_price IS NOT NULL
"""

_BROKEN_EPISODES = """
    SELECT episode, count(market_price) AS auctions
    FROM ({placed}) WHERE place > 0
    GROUP BY episode HAVING count(market_price) <> {length} OR episode = 0
    ORDER BY episode LIMIT 5
"""


def files(source: str, settings: Settings) -> list[str]:
    """The replay files in `source`, in order of their names; none where it holds none."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    if not system.isdir(root):
        return []
    names = sorted(str(file).rsplit("/", 1)[-1] for file in system.ls(root, detail=False))
    return [f"{root}/{name}" for name in names if name.endswith(_ENDINGS)]


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the canonical table into `destination`; the campaign is the file's name up to a dot.

    Raises `ContractBroken` where a value is no number, or an episode has not the auctions that the first line says.
    """
    with tempfile.TemporaryDirectory() as temporary, duckdb.connect() as db:
        selected = []
        for file in files(source, settings):
            here = Path(file)
            if lake.is_remote(source):
                here = Path(temporary) / here.name
                lake.fetch(file, here, settings)
            lines = _lines(here)
            _refuse_broken(db, lines, here.name)
            campaign = literal(here.name.partition(".")[0])
            selected.append(_AUCTIONS.format(campaign=campaign, placed=_PLACED.format(lines=lines)))
        target = literal(str(destination / "auctions.parquet"))
        db.execute(f"COPY ({' UNION ALL '.join(selected)}) TO {target} (FORMAT parquet)")


def _lines(file: Path) -> str:
    columns = "{'click': 'VARCHAR', 'market_price': 'VARCHAR', 'predicted_ctr': 'VARCHAR'}"
    told = "header = false, delim = '\\t', quote = '', auto_detect = false, null_padding = true, parallel = false"
    packed = "gzip" if file.suffix == ".gz" else "none"
    return f"read_csv({path(file)}, columns = {columns}, compression = '{packed}', {told})"


def _refuse_broken(db: duckdb.DuckDBPyConnection, lines: str, name: str) -> None:
    auctions = f"(SELECT * FROM {lines} OFFSET 1)"
    for column in ("click", "market_price", "predicted_ctr"):
        # A line that begins an episode has its number and nothing else.
        missing = f"({column} IS NULL AND coalesce(market_price, predicted_ctr) IS NOT NULL)"
        broken = f"({column} IS NOT NULL AND try_cast({column} AS DOUBLE) IS NULL)"
        rows = db.execute(f"SELECT * FROM {auctions} WHERE {missing} OR {broken} LIMIT 5").df()
        if len(rows):
            raise ContractBroken("auctions", column, f"{name}: values are numbers", rows.to_dict("records"))
    head = db.execute(f"SELECT market_price FROM {lines} LIMIT 1").fetchall()
    length = int(head[0][0]) if head and str(head[0][0]).isdigit() else 0
    rows = db.execute(_BROKEN_EPISODES.format(placed=_PLACED.format(lines=lines), length=length)).df()
    if not length or len(rows):
        rule = f"{name}: the first line tells the auctions of an episode, and each has as many"
        raise ContractBroken("auctions", "episode", rule, rows.to_dict("records"))
