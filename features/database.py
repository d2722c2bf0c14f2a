"""DuckDB within bounds: tables larger than the memory it may take go through files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Limits:
    """What one database may take: memory as DuckDB writes it (`4GiB`), and threads (None: one a core)."""

    memory: str = "4GiB"
    threads: int | None = None


@contextmanager
def connect(limits: Limits = Limits()) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own, gone when it is closed. What does not fit into memory lies in a folder under TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="adloop-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": limits.memory,
            "temp_directory": spill,
        }
        if limits.threads is not None:
            config["threads"] = limits.threads
        with duckdb.connect(config=config) as db:
            db.execute("SET enable_progress_bar = false")  # it would end up among what a command prints for machines
            yield db
