"""A database keeps to its limits, and what it spills goes when it is closed."""

import os
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features import offline, store
from features.database import Limits, connect
from features.schema import Schema
from features.settings import Settings
from features.sources import folder
from features.tables import Tables
from features.transforms import history
from models.churn.examples import churn_examples
from tests.unit.features.test_store import PARAMS, SERVICE


def test_what_does_not_fit_goes_through_files_that_are_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with connect(Limits("32MiB", threads=1)) as db:
        db.execute("CREATE TABLE hashes AS SELECT range, md5(range::VARCHAR) AS text FROM range(500000) ORDER BY text")
        spilt = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
        assert spilt > 2**20
    assert list(tmp_path.iterdir()) == []


def test_a_database_knows_nothing_of_another() -> None:
    with connect() as first, connect() as beside:
        first.execute("CREATE TABLE mine AS SELECT 1")
        first.execute("SET TimeZone = 'Asia/Tokyo'")
        with pytest.raises(duckdb.CatalogException, match="mine does not exist"):
            beside.execute("FROM mine")
    for _ in range(3):
        with connect() as later, pytest.raises(duckdb.CatalogException, match="mine does not exist"):
            assert later.execute("SELECT current_setting('TimeZone')").fetchone() != ("Asia/Tokyo",)
            later.execute("FROM mine")


def test_an_error_leaves_nothing_behind() -> None:
    for wrong in ("CREATE TABLE mine AS SELECT 1; SELECT error('told')", "BEGIN; CREATE TABLE mine AS SELECT 1; FROM"):
        with pytest.raises(duckdb.Error), connect() as db:
            db.execute(wrong)
    with pytest.raises(ZeroDivisionError), connect() as db:
        db.execute("BEGIN; CREATE TABLE mine AS SELECT 1")
        assert db.execute("FROM range(3000000)").fetchone() == (0,) and 1 / 0  # in the midst of a result
    with connect() as db:
        assert len(db.execute("SHOW DATABASES").fetchall()) == 2  # its own, and the one that DuckDB begins with
        db.execute("CREATE TABLE mine AS SELECT 2")


def test_a_process_that_was_forked_starts_its_own() -> None:
    with connect() as db:
        assert db.execute("SELECT 7").fetchone() == (7,)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with connect() as db:
                code = db.execute("SELECT count(*) FROM range(100000)").fetchone() != (100000,)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_the_settings_name_the_limits() -> None:
    with Tables(Path(), Settings(memory_limit="100MiB", threads=1).limits).connect() as db:
        told = db.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert told == ("100.0 MiB", 1)
    with pytest.raises(duckdb.Error, match="Memory"), connect(Limits("plenty")):
        pass


def test_the_settings_bound_the_reading_of_a_folder_of_tables(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id\na\n")
    settings = Settings(home=tmp_path / "home", memory_limit="100MiB", threads=1)
    with folder.opened(str(tmp_path), settings, Schema()) as opened:
        told = opened.db.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert told == ("100.0 MiB", 1)


def test_features_are_the_same_in_parts(shop: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = churn_examples(shop, PARAMS).sample(120, random_state=0)
    frames, most, stand_at = [], list[int](), history.stand_at

    def watched(db: duckdb.DuckDBPyConnection, tables: Tables, spine: pd.DataFrame) -> None:
        most[-1] = max(most[-1], len(spine))
        stand_at(db, tables, spine)

    monkeypatch.setattr(history, "stand_at", watched)
    for rows in (10**6, 37):
        monkeypatch.setattr(offline, "PART_ROWS", rows)
        most.append(0)
        settings = Settings(home=tmp_path / str(rows))
        snapshot = store.build(shop, SERVICE, examples, None, settings)
        frames.append(store.training_frame(snapshot, examples, settings))
    pd.testing.assert_frame_equal(*frames)
    assert most[0] > 100 and most[1] == 37
