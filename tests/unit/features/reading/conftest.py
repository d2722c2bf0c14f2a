"""A folder of files as somebody has them, and what comes of reading it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features import schema, sources
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import Tables


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[Tables, str]]:
    """The tables of files (text, bytes or a frame) by a schema of plain values, and all that is told of them."""

    def folder(files: dict[str, str | bytes | pd.DataFrame], said: dict[str, Any] | None = None) -> tuple[Tables, str]:
        source = tmp_path / "given"
        source.mkdir()
        for name, content in files.items():
            if isinstance(content, pd.DataFrame):
                content.to_parquet(source / name)
            else:
                (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
        notes = sources.read(
            [str(source)], tmp_path / "read", Settings(home=tmp_path / "home"), schema.read(said or {})
        )
        return Tables(tmp_path / "read"), "\n".join(notes)

    return folder


@pytest.fixture
def rows(read: Callable[..., tuple[Tables, str]]) -> Callable[..., pd.DataFrame]:
    """The transactions of a CSV file's text, by what a schema says of them."""

    def transactions(text: str | bytes, zone: str | None = None, **said: Any) -> pd.DataFrame:
        told = {"tables": {"transactions": said}} | ({"zone": zone} if zone else {})
        tables, _ = read({"transactions.csv": text}, told)
        return pd.read_parquet(tables.path("transactions"))

    return transactions


@pytest.fixture
def refused(read: Callable[..., tuple[Tables, str]]) -> Callable[..., ContractBroken]:
    """Why files are refused."""

    def why(files: dict[str, Any] | str | bytes, said: dict[str, Any] | None = None) -> ContractBroken:
        with pytest.raises(ContractBroken) as caught:
            read(files if isinstance(files, dict) else {"transactions.csv": files}, said)
        return caught.value

    return why
