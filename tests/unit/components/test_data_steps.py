"""From a source to a published table: all of it or nothing, and what was there before stays when it is nothing."""

from pathlib import Path

import pandas as pd
import pytest

from components.ingest.step import ingest
from components.validate.step import validate
from features.contracts import ContractBroken
from features.settings import Settings
from features.tables import content_hash


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "transactions.csv").write_text("customer_id,occurred_at,amount\nann,2024-01-01,5\nbob,2024-01-02,6\n")
    return folder


def test_ingest_and_validate_publish_the_source(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    ingested = ingest([str(source)], tmp_path / "staged", settings)
    published = validate(tmp_path / "staged", tmp_path / "tables")
    assert ingested.rows == published.rows == {"customers": 2, "transactions": 2}
    assert ingested.data_hash == published.data_hash == content_hash(tmp_path / "tables")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "staged", "tables"]


def test_a_broken_source_leaves_what_was_staged(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    before = ingest([str(source)], tmp_path / "staged", settings)
    with (source / "transactions.csv").open("a") as file:
        file.write("cid,yesterday,1\n")
    with pytest.raises(ContractBroken, match="occurred_at"):
        ingest([str(source)], tmp_path / "staged", settings)
    assert content_hash(tmp_path / "staged") == before.data_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "staged"]


def test_a_broken_table_is_not_published(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    ingest([str(source)], tmp_path / "staged", settings)
    before = validate(tmp_path / "staged", tmp_path / "tables")
    file = tmp_path / "staged" / "transactions.parquet"
    frame = pd.read_parquet(file)
    frame.loc[1, "amount"] = None
    frame.to_parquet(file, index=False)
    with pytest.raises(ContractBroken, match=r"table 'transactions', column 'amount': amount is required.*bob"):
        validate(tmp_path / "staged", tmp_path / "tables")
    assert content_hash(tmp_path / "tables") == before.data_hash
    with pytest.raises(ContractBroken):
        validate(tmp_path / "staged", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_later_run_replaces_the_earlier_one(source: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    first = ingest([str(source)], tmp_path / "staged", settings)
    with (source / "transactions.csv").open("a") as file:
        file.write("cid,2024-01-03,1\n")
    second = ingest([str(source)], tmp_path / "staged", settings)
    assert second.data_hash != first.data_hash
    assert second.rows["customers"] == 3
