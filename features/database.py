"""DuckDB connections with a memory limit; larger tables spill to disk."""

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import duckdb


@dataclass(frozen=True)
class Limits:
    """Limits of one connection: memory as DuckDB writes it (`4GiB`), and threads (None: one per core)."""

    memory: str = "4GiB"
    threads: int | None = None


@contextmanager
def connect(limits: Limits = Limits()) -> Iterator[duckdb.DuckDBPyConnection]:
    """A temporary in-memory database. Data beyond the memory limit spills to a folder under TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="adloop-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": limits.memory,
            "temp_directory": spill,
        }
        if limits.threads is not None:
            config["threads"] = limits.threads
        with duckdb.connect(config=config) as db:
            db.execute("SET enable_progress_bar = false")  # it would corrupt JSON output
            yield db


@contextmanager
def look() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database that the process keeps, to ask of a file what stands in its footer.

    To open a database takes fifteen milliseconds, such a question half of one.
    """
    with _kept().cursor() as db:
        yield db


@cache
def _kept() -> duckdb.DuckDBPyConnection:
    atexit.register(_kept.cache_clear)  # what is alive at the very end is told as leaked, by the page
    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})
