"""Customers by their scores, with the hashes of their contacts that platforms match people by."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.database import look
from features.tables import literal, only, quoted


@dataclass(frozen=True)
class ScoredSegment:
    """Which customers are in a segment: a folder or file of scores and of contacts, and bounds of a column.

    Attributes:
        top: the best share of all customers by the score.
        salt, holdout: customers whose hash with the salt falls into this share are held out.
    """

    scores: Path
    contacts: Path
    column: str
    top: float | None
    above: float | None
    below: float | None
    salt: str
    holdout: float


# An address is matched in lower case without spaces around it, as the SHA-256 of its text; a hash is taken as it is.
# A customer is held out by a hash of the id, so that it stays held out in each version and on each machine.
_SQL = """
    WITH scored AS (
        SELECT customer_id::VARCHAR AS customer_id, {column}::DOUBLE AS score,
               percent_rank() OVER (ORDER BY {column}::DOUBLE DESC) AS place
        FROM read_parquet({scores}) WHERE {column} IS NOT NULL
    ), chosen AS (
        SELECT * FROM scored
        WHERE place <= coalesce({top}, 1) AND score >= coalesce({above}, score) AND score <= coalesce({below}, score)
    ), reached AS (
        SELECT customer_id::VARCHAR AS customer_id, min(lower(trim(email))) AS email
        FROM read_parquet({contacts}) WHERE trim(email) != '' GROUP BY ALL
    )
    SELECT customer_id, score,
           CASE WHEN regexp_full_match(email, '[0-9a-f]{{64}}') THEN email ELSE sha256(email) END AS email,
           md5_number_lower({salt} || '/' || customer_id)::DOUBLE / 18446744073709551616.0 < {holdout} AS held_out
    FROM chosen JOIN reached USING (customer_id) ORDER BY customer_id
"""


def members(segment: ScoredSegment) -> pd.DataFrame:
    """Customers of a segment who can be reached: `customer_id`, `score`, `email` (a hash), `held_out`.

    Raises `ValueError` naming the file and the column that is missing.
    """
    with look() as db:
        places = {name: _parquet(getattr(segment, name)) for name in ("scores", "contacts")}
        for name, needed in (("scores", ("customer_id", segment.column)), ("contacts", ("customer_id", "email"))):
            described = db.execute(f"DESCRIBE SELECT * FROM read_parquet({places[name]})").fetchall()
            missing = sorted(set(needed) - {column for column, *_ in described})
            if missing:
                raise ValueError(f"{getattr(segment, name)}: expected a column {missing[0]}")
        bounds = {
            name: "NULL" if (value := getattr(segment, name)) is None else repr(float(value))
            for name in ("top", "above", "below")
        }
        query = _SQL.format(
            **places,
            **bounds,
            column=quoted(segment.column),
            salt=literal(segment.salt),
            holdout=float(segment.holdout),
        )
        return db.execute(query).df()


def _parquet(place: Path) -> str:
    """The Parquet file, or all of a folder, for a FROM clause."""
    return literal(f"{only(place)}/*.parquet" if place.is_dir() else only(place))
