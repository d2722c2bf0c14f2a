"""Rows scored in batch: by several processes, killed and gone on with, with features looked up, and in S3."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from components.score.step import score
from features import store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.churn.examples import churn_examples
from serving.inference.partitions import ROWS
from tests.integration import probe
from tests.integration.conftest import S3

PARTS = 6


@pytest.fixture
def settings(released_home: Path, tmp_path: Path) -> Iterator[Settings]:
    """A home whose champion is version 1 of the probe."""
    probe.install()
    yield Settings(home=shutil.copytree(released_home, tmp_path / "home"))
    probe.remove()


def put(folder: Path, count: int = PARTS, rows: int = 50) -> Path:
    """Files of rows."""
    folder.mkdir()
    for number in range(count):
        probe.rows(rows, number).to_parquet(folder / f"{number}.parquet")
    return folder


def same(rows: Path, scores: Path) -> None:
    """Each file of rows has its scores, as the model answers them."""
    files = sorted(scores.glob("*.parquet"))
    assert [file.name for file in files] == [file.name for file in sorted(rows.glob("*.parquet"))]
    for file in files:
        expected = probe.Probe().predict(pd.read_parquet(rows / file.name))
        pd.testing.assert_frame_equal(pd.read_parquet(file)[list(expected)], expected)


def test_what_was_killed_goes_on_with_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    rows, out = put(tmp_path / "rows", rows=4 * PARTS), tmp_path / "out"
    slow = probe.register(probe.Probe(sleep_s=1.0), settings, tmp_path / "slow")
    command = [sys.executable, "-m", "tests.integration.probe_score", "score", "probe", "--version", slow]
    command += ["--data", str(rows), "--out", str(out)]
    given = {**os.environ, "ADLOOP_HOME": str(settings.home), "ADLOOP_THREADS": "2"}
    first = subprocess.Popen(command, env=given, start_new_session=True, stderr=subprocess.PIPE)
    while not list(out.glob("*.parquet")):
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stderr.read()  # until the processes that it started have ended, too: they hold the other end
    done = {file.name: file.stat().st_mtime_ns for file in out.glob("*.parquet")}
    assert 0 < len(done) < PARTS
    again = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert f"{PARTS - len(done)} partitions; {len(done)} partitions were there" in again.stdout
    assert {name: (out / name).stat().st_mtime_ns for name in done} == done
    assert {file.name for file in out.iterdir()} == {file.name for file in rows.iterdir()} | {"_scores.json"}
    same(rows, out)


def test_pods_share_partitions_and_together_score_all(settings: Settings, tmp_path: Path) -> None:
    rows, out = put(tmp_path / "rows"), tmp_path / "out"
    done = [score("probe", str(rows), str(out), settings, shard=(number, 4)) for number in range(4)]
    assert [one.partitions for one in done] == [2, 2, 1, 1] and {one.version for one in done} == {"1"}
    same(rows, out)


def test_scores_of_something_else_are_not_mixed_with_these(settings: Settings, tmp_path: Path) -> None:
    rows, out = put(tmp_path / "rows", 1), str(tmp_path / "out")
    score("probe", str(rows), out, settings)
    assert score("probe", str(rows), out, settings).partitions == 0
    other = probe.register(probe.Probe(shift=1), settings, tmp_path / "other")
    with pytest.raises(ValueError, match=f"out has scores of probe 1, not of probe {other}: name an empty folder"):
        score("probe", str(rows), out, settings, version=other)
    probe.rows(5).to_parquet(rows / "more.parquet")
    with pytest.raises(ValueError, match="out has scores of other rows"):
        score("probe", str(rows), out, settings)
    with pytest.raises(LookupError, match="probe has no version 9"):
        score("probe", str(rows), str(tmp_path / "else"), settings, version="9")


def test_ids_get_the_features_that_are_online(settings: Settings, tables: Path, tmp_path: Path) -> None:
    source = Tables(tables)
    params = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
    snapshot = store.build(source, "churn_v1", churn_examples(source, params), latest(source), settings)
    store.publish(snapshot, settings)
    version = probe.register(probe.Probe(reads="recency_days"), settings, tmp_path / "reads")
    people = pd.read_parquet(tables / "customers.parquet", columns=["customer_id"])
    given = pd.concat([people.head(5), pd.DataFrame({"customer_id": ["nobody"]}), people.tail(5)])
    given.to_parquet(tmp_path / "ids.parquet")
    done = score("probe", str(tmp_path / "ids.parquet"), str(tmp_path / "out"), settings, version=version)
    assert (done.rows, done.unknown) == (11, 1)
    scores = pd.read_parquet(tmp_path / "out" / "ids.parquet")
    assert scores["customer_id"].tolist() == given["customer_id"].tolist()
    assert (
        scores["probability"].notna().tolist() == scores["error"].isna().tolist() == [True] * 5 + [False] + [True] * 5
    )


def test_rows_and_scores_may_be_in_s3(settings: Settings, s3: S3, tmp_path: Path) -> None:
    rows = put(tmp_path / "rows", 2)
    probe.rows(2 * ROWS // 100).to_parquet(rows / "1.parquet", row_group_size=ROWS // 100)
    at_s3, address = settings.model_copy(update={"s3_endpoint_url": s3.endpoint}), s3.upload(rows, "score/rows")
    out = f"s3://{s3.bucket}/score/out"
    assert score("probe", address, out, at_s3).partitions == 2
    assert score("probe", address, out, at_s3).found == 2
    (tmp_path / "out").mkdir()
    for name in ("0.parquet", "1.parquet"):
        s3.client.download_file(s3.bucket, f"score/out/{name}", str(tmp_path / "out" / name))
    same(rows, tmp_path / "out")
