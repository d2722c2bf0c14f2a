"""Lifetime value on real customers: better than the field's answers, honest in time, and refused when it is not.

`make benchmark` measures it at other shops, times and horizons.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.featurize.step import featurize
from components.frame import Frame
from components.ingest.step import ingest
from components.params import load
from features.settings import Settings
from models.evaluation import bootstrap, gates
from models.ltv import FAMILY, LtvParams
from tests.benchmarks import ltv as benchmark
from tests.benchmarks import ltv_splits
from tests.quality.evidence import Splits, gather, splits, unanswered

ROOT = Path(__file__).parents[2]
evidence_of = partial(gather, FAMILY)


@pytest.fixture(scope="module")
def params() -> LtvParams:
    section = load(ROOT / "params.yaml").section("ltv")
    return FAMILY.params.read({**section, "window": {**section["window"], "horizon_days": benchmark.HORIZON}})


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What every fourth customer bought; `make benchmark` measures on all."""
    folder = tmp_path_factory.mktemp("whole")
    ingest(["cdnow"], folder, Settings(home=folder))
    events = pd.read_parquet(folder / "transactions.parquet")
    return events[events["customer_id"].astype(int) % 4 == 0]


@pytest.fixture(scope="module")
def cdnow(quarter: pd.DataFrame, params: LtvParams, tmp_path_factory: pytest.TempPathFactory) -> Frame:
    return _frame(quarter, tmp_path_factory.mktemp("cdnow"), params, future=1.0)


def some(frame: Frame) -> dict[str, pd.DataFrame]:
    """Few rows of each split: enough for what a gate refuses at a glance."""
    return {name: rows.sample(2000, random_state=1) for name, rows in splits(frame).items()}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what was learnt for `answers` is kept, by a name that any change of what it was learnt from changes."""
    return tmp_path_factory.mktemp("fitted")


@pytest.fixture(scope="module")
def answers(cdnow: Frame, params: LtvParams, fitted: Path) -> pd.DataFrame:
    return _answers(splits(cdnow), params, fitted)


def test_cdnow_beats_the_field_and_past_spend_beyond_noise(
    cdnow: Frame, answers: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    test = cdnow.split("test")
    past = FAMILY.baselines["past_spend"](cdnow.split("train"), cdnow.split("valid"), params, tmp_path).predict(test)

    gini, spearman, mae = FAMILY.metrics[:3]
    hard = [(gini, past), *((metric, benchmark.field(test)) for metric in (gini, spearman, mae))]
    for metric, other in hard:
        gain = bootstrap.gain(metric, test, answers, other, params.seed)
        assert gain.low > 0, (metric.name, gain)
    assert mae.measure(test, answers) < 0.6 * mae.measure(test, past)
    assert 0.77 <= ltv_splits.COVERAGE.measure(test, answers) <= 0.83


def test_all_that_is_learnt_from_had_happened_by_the_cutoff(cdnow: Frame) -> None:
    rows = cdnow.rows
    ends = rows["event_timestamp"] + pd.to_timedelta(rows["horizon_days"], unit="D")
    cutoff = pd.Timestamp(benchmark.CUTOFF)

    assert (ends[rows["split"] != "test"] <= cutoff).all()
    # Tuning and intervals are of a time that training has not seen, not of other customers at the same time.
    assert ends[rows["split"] == "train"].max() <= rows.loc[rows["split"] == "valid", "event_timestamp"].min()
    assert (rows.loc[rows["split"] == "test", "event_timestamp"] == cutoff).all()


def test_another_future_changes_no_answer(
    quarter: pd.DataFrame, cdnow: Frame, answers: pd.DataFrame, params: LtvParams, fitted: Path, tmp_path: Path
) -> None:
    after = splits(_frame(quarter, tmp_path, params, future=10.0))

    assert after["test"]["value"].sum() == pytest.approx(10 * cdnow.split("test")["value"].sum())
    pd.testing.assert_frame_equal(answers, _answers(after, params, fitted), check_exact=True)


def test_a_shuffled_label_is_refused(cdnow: Frame, params: LtvParams, tmp_path: Path) -> None:
    rows = some(cdnow)
    shuffled = {name: _shuffled(rows[name]) for name in ("train", "valid")}

    evidence = evidence_of({**rows, **shuffled}, cdnow.columns, params, tmp_path, [FAMILY.naive])

    assert gates.beats_naive in FAMILY.gates and not gates.beats_naive(evidence).passed


def test_a_leaked_label_is_refused(cdnow: Frame, params: LtvParams) -> None:
    rng = np.random.default_rng(1)
    rows_of = some(cdnow)
    leaking = {
        name: rows.assign(loyalty_points=rows["value"] * rng.uniform(0.99, 1.01, len(rows)))
        for name, rows in rows_of.items()
    }

    told, plain = (
        gates.no_leak(unanswered(FAMILY, rows, features, params.seed))
        for rows, features in ((leaking, [*cdnow.columns, "loyalty_points"]), (rows_of, cdnow.columns))
    )

    assert gates.no_leak in FAMILY.gates
    assert not told.passed and "loyalty_points" in told.reason
    assert plain.passed


def _frame(events: pd.DataFrame, folder: Path, params: LtvParams, future: float) -> Frame:
    """Of customers, with all they spend after the cutoff so many times as much."""
    settings = Settings(home=folder)
    late = events["occurred_at"] > pd.Timestamp(benchmark.CUTOFF)
    (folder / "some").mkdir()
    events.assign(amount=events["amount"].where(~late, events["amount"] * future)).to_parquet(
        folder / "some" / "transactions.parquet"
    )
    ingest([str(folder / "some")], folder / "tables", settings)
    section, out = params.model_dump(mode="json"), folder / "features"
    featurize(folder / "tables", "ltv", section, None, settings, out, cutoff=benchmark.CUTOFF, online=False)
    return Frame(out)


def _answers(learnt: Splits, params: LtvParams, folder: Path) -> pd.DataFrame:
    model = FAMILY.fit(learnt["train"], learnt["valid"], params, folder / "checkpoint")
    return model.predict(learnt["test"])


def _shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(value=rows["value"].sample(frac=1, random_state=2).to_numpy())
