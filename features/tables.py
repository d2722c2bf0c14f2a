"""The canonical tables as Parquet files in a folder: customers, transactions, auctions, creatives, texts and others.

Every TIMESTAMP is in UTC, without a zone. Hours and weekdays are taken from local time: `local(moment)` converts a UTC
timestamp by the row's `zone`, an IANA name such as `Europe/Berlin`; null means UTC. The endpoint and training use the
same rule: a campaign's zone is the `zone` of its auctions.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from features.database import Limits, connect, look

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Column:
    """One column of a canonical table: its DuckDB type, and whether it is required in every table and row.

    `least` and `most` bound its values, `most_column` names a column of the same row that does; `only` lists all valid
    values.
    """

    type: str
    required: bool = False
    least: float | None = None
    most: float | None = None
    only: tuple[float, ...] | tuple[str, ...] = ()
    most_column: str | None = None


_EVENT = {
    "customer_id": Column("VARCHAR", True),
    "occurred_at": Column("TIMESTAMP", True),
    "zone": Column("VARCHAR"),  # whose clock tells the event's hour and day
}

#: Canonical columns by table. Optional ones are used where present. Any other column of `customers` or `creatives` is
#: an attribute and becomes a feature; other columns of event tables are kept unused.
SPECS: Mapping[str, Mapping[str, Column]] = {
    "customers": {
        "customer_id": Column("VARCHAR", True),
        "churned": Column("BOOLEAN"),  # subscription businesses: had the customer left by `snapshot_at`
        "snapshot_at": Column("TIMESTAMP"),
        "renews_at": Column("TIMESTAMP"),  # when the contract renews, or renewed: each term it does so again
        "contract_months": Column("DOUBLE", least=0.25),  # the term; a year where it is not told
    },
    "transactions": {
        **_EVENT,
        "amount": Column("DOUBLE", True),  # negative for a return
        "quantity": Column("DOUBLE"),
        "product_id": Column("VARCHAR"),
        "channel": Column("VARCHAR"),
        "order_id": Column("VARCHAR"),  # one row a line of an order; without it, one order a customer and moment
        "category": Column("VARCHAR"),
        "on_promotion": Column("BOOLEAN"),
        "discount": Column("DOUBLE"),
        "coupon_discount": Column("DOUBLE"),
    },
    "touches": {
        **_EVENT,
        "campaign_id": Column("VARCHAR", True),
        "channel": Column("VARCHAR"),
        "ends_at": Column("TIMESTAMP"),  # until when the campaign runs
        "responded_at": Column("TIMESTAMP"),
    },
    "interactions": {  # what customers do beside buying
        **_EVENT,
        "kind": Column(
            "VARCHAR",
            True,
            only=("login", "feature", "content", "support", "rating", "nps", "complaint", "refund"),
        ),
        "value": Column("DOUBLE"),  # the rating or score; of support, how satisfied; of a refund, its amount
    },
    "auctions": {  # in the order they came, a campaign's; they know no customer
        "campaign_id": Column("VARCHAR", True),
        "market_price": Column("DOUBLE", True, least=0),  # the highest bid of the others
        "click": Column("DOUBLE", True, only=(0, 1)),
        "predicted_ctr": Column("DOUBLE", True, least=0, most=1),
        "occurred_at": Column("TIMESTAMP"),
        "zone": Column("VARCHAR"),  # of the campaign: whose clock tells its hour and day
        "channel": Column("VARCHAR"),
        "conversion_value": Column("DOUBLE", least=0),
        "converted_at": Column("TIMESTAMP"),  # when the conversion came, which is later than the auction
        "predicted_value": Column("DOUBLE", least=0),  # of winning, in the currency of `conversion_value`
        "episode": Column("BIGINT"),  # of a replay: auctions that share one budget
        "clicked_at": Column("TIMESTAMP"),  # known from then on; at the auction itself where it is not told
        "won": Column("DOUBLE", only=(0, 1)),  # 0: lost, and `market_price` is the bid that lost: the price is above it
    },
    "creatives": {
        "creative_id": Column("VARCHAR", True),
        "campaign_id": Column("VARCHAR"),  # its campaign; without it, the one it was shown in most
        "headline": Column("VARCHAR"),
        "body": Column("VARCHAR"),
        "image": Column("VARCHAR"),  # a URI
        "format": Column("VARCHAR"),
    },
    "impressions": {  # counts of a day, or single events; known from the end of their day in UTC
        "creative_id": Column("VARCHAR", True),
        "campaign_id": Column("VARCHAR"),
        "channel": Column("VARCHAR"),  # the placement
        "audience": Column("VARCHAR"),
        "occurred_at": Column("TIMESTAMP", True),
        "impressions": Column("DOUBLE", True, least=0),
        "clicks": Column("DOUBLE", True, least=0, most_column="impressions"),
        "conversions": Column("DOUBLE", least=0),  # may be more than clicks: some follow an impression alone
        "engagements": Column("DOUBLE", least=0),
        "spend": Column("DOUBLE", least=0),
        "experiment_id": Column("VARCHAR"),
        "arm": Column("VARCHAR"),
        "propensity": Column("DOUBLE", least=0, most=1),  # of the arm
    },
    "benchmarks": {  # what others reach with ads of this format
        "format": Column("VARCHAR", True),
        "occurred_at": Column("TIMESTAMP"),  # known from then on
        "ctr": Column("DOUBLE", least=0, most=1),
        "conversion_rate": Column("DOUBLE", least=0, most=1),
        "cpc": Column("DOUBLE", least=0),
        "competitors": Column("DOUBLE", least=0),  # competing ads
    },
    "exposures": {  # of experiments: a row a randomised unit; further columns are its outcomes and attributes
        "experiment_id": Column("VARCHAR", True),
        "unit_id": Column("VARCHAR", True),  # a visitor, a customer, a household
        "arm": Column("VARCHAR", True),
        "occurred_at": Column("TIMESTAMP", True),  # when the unit was first exposed
        "converted": Column("DOUBLE", only=(0, 1)),
        "value": Column("DOUBLE"),
        "before": Column("DOUBLE"),  # the same measure before the experiment, which makes the comparison sharper
        "propensity": Column("DOUBLE", least=0, most=1),  # planned share of the arm
    },
    "texts": {  # labelled examples of what classifiers learn
        "text": Column("VARCHAR", True),
        "label": Column("VARCHAR", True),  # `oos`: out of the task's scope
        "task": Column("VARCHAR"),  # what the label tells: `sentiment`, `emotion`, `intent`, ...
        "score": Column("DOUBLE", least=-1, most=1),  # rated sentiment
        "aspect": Column("VARCHAR"),  # the brand or thing in the text that the label is about
        "split": Column("VARCHAR", only=("train", "valid", "test")),
        "language": Column("VARCHAR"),
    },
    "images": {  # examples of what is learnt of pictures
        "uri": Column("VARCHAR", True),  # https, s3, data, or a file in an allowed folder
        "label": Column("VARCHAR"),
        "rating": Column("DOUBLE"),  # on any scale
        "boxes": Column("VARCHAR"),  # JSON: where things are
        "split": Column("VARCHAR", only=("train", "valid", "test")),
    },
    "mentions": {  # posts of people about brands
        "text": Column("VARCHAR", True),
        "occurred_at": Column("TIMESTAMP", True),
        "mention_id": Column("VARCHAR"),  # of its source; without it, a post is known by all else that is told of it
        "author": Column("VARCHAR"),
        "source": Column("VARCHAR"),
        "url": Column("VARCHAR"),
        "language": Column("VARCHAR"),  # `en`
        "followers": Column("DOUBLE", least=0),  # of the author
    },
}

#: Tables of entities by the key that rows of other tables refer to them by; its values are unique there.
ENTITIES: Mapping[str, str] = {"customer_id": "customers", "creative_id": "creatives"}
#: For each key, the tables with rows about its entities, and the entities' own.
REFERRING = {key: frozenset(table for table, columns in SPECS.items() if key in columns) for key in ENTITIES}

#: Where a table tells no date at all (a snapshot of subscribers, a log without time), what it tells stands here.
UNDATED = "2000-01-01"


@dataclass(frozen=True)
class Tables:
    """The canonical tables in a folder, one `<name>.parquet` each. Each is optional, but event tables need the table
    of their `customers` or `creatives`.
    `limits` bound the memory for reading.
    """

    folder: Path
    limits: Limits = field(default=Limits(), compare=False)

    def connect(self) -> AbstractContextManager["duckdb.DuckDBPyConnection"]:
        """A DuckDB connection to read the tables."""
        return connect(self.limits)

    def path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical tables in the folder."""
        return tuple(name for name in SPECS if self.path(name).is_file())

    def columns(self, table: str) -> dict[str, str]:
        """DuckDB type by column; empty where the table is absent."""
        file = self.path(table)
        if not file.is_file():
            return {}
        about = file.stat()
        return dict(_columns(file, (about.st_ino, about.st_size, about.st_mtime_ns)))

    def attributes(self, table: str = "customers") -> dict[str, str]:
        """DuckDB type by attribute of customers or creatives: the columns of their table that are not canonical."""
        return {name: kind for name, kind in self.columns(table).items() if name not in SPECS[table]}

    def sql(self, table: str) -> str:
        """The table as an SQL relation, for a FROM clause."""
        return f"read_parquet({path(self.path(table))})"

    def whole(self, table: str) -> str:
        """A query of exactly the canonical columns of a table, null where the table has none of that name."""
        there = self.columns(table)
        columns = ", ".join(
            f"{quoted(name) if name in there else 'NULL'}::{column.type} AS {quoted(name)}"
            for name, column in SPECS[table].items()
        )
        return f"SELECT {columns} FROM {self.sql(table)}" if there else f"SELECT {columns} WHERE false"

    def zone(self, table: str) -> str | None:
        """The most frequent zone of a table; None without a zone."""
        if "zone" not in self.columns(table):
            return None
        with self.connect() as db:
            named = (
                f"SELECT zone FROM {self.sql(table)} WHERE zone IS NOT NULL GROUP BY zone ORDER BY count(*) DESC, zone"
            )
            found = db.execute(f"{named} LIMIT 1").fetchall()
        return str(found[0][0]) if found else None

    def rows(self) -> dict[str, int]:
        """Number of rows by table."""
        with look() as db:
            return {name: db.execute(f"SELECT count(*) FROM {self.sql(name)}").fetchall()[0][0] for name in self.names}


@lru_cache(maxsize=256)
def _columns(file: Path, version: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """DuckDB type by column of a file. It is asked for at every step and moment; `version` changes with the file."""
    with look() as db:
        described = db.execute(f"DESCRIBE SELECT * FROM read_parquet({path(file)})").fetchall()
    return tuple((name, kind) for name, kind, *_ in described)


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def only(file: Path | str) -> str:
    """A glob pattern that matches only this path: DuckDB's readers expand `*`, `?` and `[`."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(file))


def path(file: Path | str) -> str:
    """A file's path as an SQL string for DuckDB's readers."""
    return literal(only(file))


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def local(moment: str, zone: str = "zone") -> str:
    """SQL of the local time in `zone` of a UTC `moment`; both are SQL expressions."""
    return f"(({moment}) AT TIME ZONE 'UTC' AT TIME ZONE coalesce({zone}, 'UTC'))"


def content_hash(folder: Path) -> str:
    """SHA-256 of the tables' content, independent of row order and Parquet encoding."""
    tables = Tables(folder)
    digest = hashlib.sha256()
    with connect() as db:
        for name in tables.names:
            columns = tables.columns(name)
            fields = ", ".join(f"{quoted(column)}::VARCHAR" for column in sorted(columns))
            # A sum of row hashes does not depend on their order, and counts duplicates.
            query = f"SELECT count(*), sum(md5_number_lower([{fields}]::VARCHAR)::HUGEINT) FROM {tables.sql(name)}"
            digest.update(
                json.dumps([name, sorted(columns.items()), db.execute(query).fetchall()[0]], default=str).encode()
            )
    return digest.hexdigest()
