"""Source: iPinYou replay files in the format of Cai et al. (2017): `<campaign>.validation.txt`, optionally gzipped.

The first line ends with the number of auctions per episode. An episode is a line with its number, then one line per
auction: click, market price and predicted click rate, separated by tabs. See github.com/han-cai/rlb-dp.
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

# DuckDB keeps the order of a file's lines, and both windows stream along it. Line 0 is the header; a line without a
# price starts an episode.
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
    """The replay files in `source`, sorted by name; empty where there are none."""
    root, system = source.rstrip("/"), lake.filesystem(source, settings)
    if not system.isdir(root):
        return []
    names = sorted(str(file).rsplit("/", 1)[-1] for file in system.ls(root, detail=False))
    return [f"{root}/{name}" for name in names if name.endswith(_ENDINGS)]


def read(source: str, destination: Path, settings: Settings) -> None:
    """Write the canonical table into `destination`; the campaign is the file's name up to a dot.

    Raises `ContractBroken` where a value is not a number, or the size of an episode differs from the first line.
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
    options = "header = false, delim = '\\t', quote = '', auto_detect = false, null_padding = true, parallel = false"
    packed = "gzip" if file.suffix == ".gz" else "none"
    return f"read_csv({path(file)}, columns = {columns}, compression = '{packed}', {options})"


def _refuse_broken(db: duckdb.DuckDBPyConnection, lines: str, name: str) -> None:
    auctions = f"(SELECT * FROM {lines} OFFSET 1)"
    for column in ("click", "market_price", "predicted_ctr"):
        # A line that starts an episode has only its number.
        missing = f"({column} IS NULL AND coalesce(market_price, predicted_ctr) IS NOT NULL)"
        broken = f"({column} IS NOT NULL AND try_cast({column} AS DOUBLE) IS NULL)"
        rows = db.execute(f"SELECT * FROM {auctions} WHERE {missing} OR {broken} LIMIT 5").df()
        if len(rows):
            raise ContractBroken("auctions", column, f"{name}: values are numbers", rows.to_dict("records"))
    head = db.execute(f"SELECT market_price FROM {lines} LIMIT 1").fetchall()
    length = int(head[0][0]) if head and str(head[0][0]).isdigit() else 0
    rows = db.execute(_BROKEN_EPISODES.format(placed=_PLACED.format(lines=lines), length=length)).df()
    if not length or len(rows):
        rule = f"{name}: every episode has the number of auctions in the first line"
        raise ContractBroken("auctions", "episode", rule, rows.to_dict("records"))
