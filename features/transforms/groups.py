"""What features are of, and what a group of features is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Self

import pandas as pd

from features.database import Database
from features.movement import Movement
from features.tables import Tables


class History(Protocol):
    """The relations that an entity's groups read: a module of SQL."""

    @property
    def STATEMENTS(self) -> tuple[str, ...]:
        """What decides the relations, for the name of a snapshot."""

    def read_events(self, db: Database, tables: Tables) -> None:
        """Make the relations of all that happened."""

    def stand_at(self, db: Database, tables: Tables, spine: pd.DataFrame) -> None:
        """Make `spine` and the relations of what was known at its rows (entity key, event_timestamp), in place of
        those of another spine."""


@dataclass(frozen=True)
class Entity:
    """What features are of.

    Attributes:
        key: the column its rows are joined by.
        table: the canonical table that tells which there are.
        history: what its groups read.
        latest: `(tables, as_of) -> moment` the tables tell of it last, no later than `as_of`.
    """

    name: str
    key: str
    table: str
    history: History
    latest: Callable[[Tables, str | None], pd.Timestamp]

    def moment(self, tables: Tables, as_of: str | None) -> str | None:
        """`as_of` as a date: an offset like `-28d` counts back from the latest moment; None and "" mean that moment."""
        if not as_of or not as_of.startswith("-"):
            return as_of or None
        return (self.latest(tables, None) + pd.Timedelta(as_of)).isoformat()

    @contextmanager
    def open_history(self, tables: Tables, spine: pd.DataFrame) -> Iterator[Database]:
        """A database with the relations that the groups read, at the moments of `spine`."""
        with tables.connect() as db:
            self.history.read_events(db, tables)
            self.history.stand_at(db, tables, spine)
            yield db


@dataclass(frozen=True)
class Group:
    """Features that one statement makes.

    Attributes:
        entity: what they are of.
        sql: the statement, given the tables at hand.
        moves: those that move as time goes by and how, given the tables; all others should stay as they are where the
            world does.
    """

    entity: Entity
    sql: Callable[[Tables], str]
    moves: Callable[[Tables], Mapping[str, Movement]] = lambda tables: {}

    @classmethod
    def of(cls, entity: Entity, sql: str, moves: Mapping[str, Movement] = {}) -> Self:
        """A group whose statement and movements are the same whatever tables are at hand."""
        return cls(entity, lambda _: sql, lambda _: moves)
