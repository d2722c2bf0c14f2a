"""DuckDB connections with a memory limit; larger tables spill to disk."""

import atexit
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self
from uuid import uuid4

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


@dataclass(frozen=True)
class Limits:
    """Limits of one connection: memory as DuckDB writes it (`4GiB`), and threads (None: one per core)."""

    memory: str = "4GiB"
    threads: int | None = None


class Database(Protocol):
    """What features are computed by: DuckDB's connection, or Spark (`features/spark.py`)."""

    def execute(self, query: str, /) -> Any:
        """Run a statement in DuckDB's dialect that makes a table or view."""

    def sql(self, query: str, /) -> Any:
        """What a query in DuckDB's dialect finds, to read by `df`, `fetchall` or `to_arrow_table`."""

    def register(self, view_name: str, python_object: "pd.DataFrame", /) -> Any:
        """Make a frame readable as a view, in place of an earlier one of this name."""


@contextmanager
def connect(limits: Limits = Limits()) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A temporary in-memory database. Data beyond the memory limit spills to a folder under TMPDIR.

    To start DuckDB takes fifteen milliseconds, so one that spilled nothing is kept for the next database, also after an
    error.
    """
    idle = _idle[limits, tempfile.gettempdir()]
    try:
        engine = idle.pop()
    except IndexError:  # asked by doing it, because other threads take engines too
        engine = _Engine.start(limits)
    name = f"database_{next(_numbers)}"
    try:
        with engine.database(name) as db:
            yield db
    finally:
        if engine.drop(name):
            idle.append(engine)
        else:
            engine.stop()


@dataclass(frozen=True)
class _Engine:
    """A DuckDB of this process, and the folder that it spills to."""

    root: "duckdb.DuckDBPyConnection"
    spill: Path

    @classmethod
    def start(cls, limits: Limits) -> Self:
        import duckdb

        spill = Path(tempfile.gettempdir()) / f"adloop-{uuid4().hex}"
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": limits.memory,
            "temp_directory": str(spill),
            "enable_external_file_cache": False,  # a file may have changed when the next database reads it
        }
        if limits.threads is not None:
            config["threads"] = limits.threads
        return cls(duckdb.connect(config=config), spill)

    @contextmanager
    def database(self, name: str) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection to a database of its own."""
        with self.root.cursor() as db:
            db.execute(f"ATTACH ':memory:' AS {name}")
            db.execute(f"USE {name}")
            db.execute("SET enable_progress_bar = false")  # it would corrupt JSON output
            yield db

    def drop(self, name: str) -> bool:
        """Drop a database; whether nothing is left of it, neither in DuckDB nor in files that it spilled."""
        import duckdb

        try:
            self.root.execute(f"DETACH DATABASE IF EXISTS {name}")
        except duckdb.Error:  # nothing works any more after an error in DuckDB itself
            return False
        return not self.spill.exists()

    def stop(self) -> None:
        self.root.close()
        shutil.rmtree(self.spill, ignore_errors=True)


_numbers = count()
#: By limits and TMPDIR.
_idle: defaultdict[tuple[Limits, str], list[_Engine]] = defaultdict(list)
#: Of the process that this one was forked from: their threads are not here, so that they cannot be used or stopped.
_elsewhere: list[_Engine] = []


def _leave_to_parent() -> None:
    _elsewhere.extend(engine for engines in _idle.values() for engine in engines)
    _idle.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
atexit.register(_idle.clear)


@contextmanager
def look() -> Iterator["duckdb.DuckDBPyConnection"]:
    """A connection to an empty database that the process keeps, to ask of a file what stands in its footer.

    To open a database takes fifteen milliseconds, such a question half of one.
    """
    with _kept().cursor() as db:
        yield db


@cache
def _kept() -> "duckdb.DuckDBPyConnection":
    import duckdb

    atexit.register(_kept.cache_clear)  # what is alive at the very end is told as leaked, by the page
    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})
