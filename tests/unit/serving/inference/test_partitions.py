"""Files are divided the same way each time, and what is not one table is refused."""

from pathlib import Path

import pandas as pd
import pytest

from features.settings import Settings
from serving.inference import partitions as module
from serving.inference.partitions import partitions


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 10)


def put(file: Path, rows: int, group: int = 4, **columns: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"customer_id": range(rows), **columns}).to_parquet(file, row_group_size=group)
    return file


def found(data: Path) -> list[tuple[str, tuple[int, ...], int]]:
    return [(one.name, one.groups, one.rows) for one in partitions(str(data), Settings())]


def test_a_large_file_is_divided_by_its_row_groups_and_a_small_one_is_whole(tmp_path: Path) -> None:
    put(tmp_path / "day=1" / "a.parquet", 26)
    put(tmp_path / "day=2" / "b.parquet", 9)
    assert found(tmp_path) == [
        ("day=1/a-00000.parquet", (0, 1, 2), 12),
        ("day=1/a-00001.parquet", (3, 4, 5), 12),
        ("day=1/a-00002.parquet", (6,), 2),
        ("day=2/b.parquet", (0, 1, 2), 9),
    ]


def test_one_file_is_named_without_its_folder(tmp_path: Path) -> None:
    assert found(put(tmp_path / "a.parquet", 3)) == [("a.parquet", (0,), 3)]


def test_what_engines_keep_beside_their_files_is_left_out(tmp_path: Path) -> None:
    for name in ("_temporary/0/a.parquet", ".a.parquet.7", "_metadata.parquet", ".hidden/a.parquet", "a.parquet"):
        put(tmp_path / name, 3)
    assert [name for name, *_ in found(tmp_path)] == ["a.parquet"]


def test_several_tables_in_one_folder_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "customers.parquet", 3)
    put(tmp_path / "transactions.parquet", 3, amount=1.0)
    with pytest.raises(ValueError, match=r"customers.parquet and .*transactions.parquet have different columns"):
        found(tmp_path)


@pytest.mark.parametrize("name", ["", "gone"])
def test_a_folder_without_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="expected a Parquet file, or a folder of Parquet files"):
        found(tmp_path / name)
