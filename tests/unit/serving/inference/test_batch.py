"""Scores of partitions: whole files, in bounded memory, with the faults named."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.settings import Settings
from models.bundle import open_bundle
from models.inputs import InvalidRows
from serving.inference import batch
from serving.inference import partitions as files
from serving.inference.batch import Scorer
from serving.inference.partitions import partitions
from tests.integration import probe

Score = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def scorer(tmp_path: Path) -> Iterator[Scorer]:
    probe.install()
    settings = Settings(home=tmp_path / "home")
    folder = probe.write_unsigned(tmp_path / "bundle", probe.Probe())
    yield Scorer(open_bundle(folder, None), settings)
    probe.remove()


@pytest.fixture
def score(scorer: Scorer, tmp_path: Path) -> Score:
    def run(rows: pd.DataFrame) -> pd.DataFrame:
        rows.to_parquet(tmp_path / "rows.parquet", row_group_size=len(rows))
        (part,) = partitions(str(tmp_path / "rows.parquet"), Settings())
        scorer.score(part, str(tmp_path / "out"))
        return pd.read_parquet(tmp_path / "out" / "rows.parquet")

    return run


def test_rows_are_answered_in_their_order_whatever_the_batches(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = probe.rows(100).assign(customer_id=[f"c{number}" for number in range(100)], comment="is not read")
    whole = score(rows)
    monkeypatch.setattr(batch, "ROWS", 7)
    pd.testing.assert_frame_equal(score(rows), whole)
    assert list(whole) == ["customer_id", "probability", "band", "error"]
    pd.testing.assert_frame_equal(whole[["probability", "band"]], probe.Probe().predict(rows))
    assert whole["customer_id"].tolist() == rows["customer_id"].tolist() and whole["error"].isna().all()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"recency": np.inf}, "feature 'recency': expected a finite number in .*rows.parquet, got inf"),
        ({"plan": 3}, "feature 'plan': expected text or null in .*rows.parquet, got 3"),
        ({"member": "yes"}, "feature 'member': expected true, false or null in .*rows.parquet, got 'yes'"),
    ],
)
def test_rows_that_the_model_does_not_take_are_named_and_leave_nothing(
    score: Score, tmp_path: Path, changed: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidRows, match=named):
        score(probe.rows(5).assign(**changed))
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(InvalidRows, match=r"feature 'plan': .*no such feature"):
        score(probe.rows(5).drop(columns="plan"))


def test_memory_does_not_grow_with_a_row_group(scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "ROWS", 1000)
    monkeypatch.setattr(files, "AHEAD", 1 << 13)
    usual = pa.default_memory_pool()

    def peak(count: int) -> int:
        """Bytes of Python, NumPy and Arrow at most."""
        file = tmp_path / f"{count}.parquet"
        probe.rows(count).to_parquet(file, row_group_size=count, data_page_size=1 << 13, use_dictionary=False)
        (part,) = partitions(str(file), Settings())
        pa.set_memory_pool(arrow := pa.proxy_memory_pool(pa.system_memory_pool()))
        tracemalloc.start()
        try:
            scorer.score(part, str(tmp_path / "out"))
            return int(tracemalloc.get_traced_memory()[1] + arrow.max_memory())
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(usual)

    assert peak(40_000) < 1.5 * peak(4_000)
