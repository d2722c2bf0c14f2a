"""Lifetime value on real customers: better than the field's answers, honest in time, and refused when it is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.featurize.step import featurize
from components.frame import Frame
from components.ingest.step import ingest
from components.params import load
from features.settings import Settings
from models.evaluation import bootstrap
from models.evaluation.gates import Evidence, Verdict
from models.ltv import FAMILY, LtvParams
from tests.benchmarks import ltv as benchmark
from tests.benchmarks import ltv_splits as splits

ROOT = Path(__file__).parents[2]
Splits = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    home = tmp_path_factory.mktemp("cdnow")
    frame, _ = benchmark.cdnow(home, Settings(home=home))
    return frame


@pytest.fixture(scope="module")
def params() -> LtvParams:
    section = load(ROOT / "params.yaml").section("ltv")
    return FAMILY.params.read({**section, "window": {**section["window"], "horizon_days": benchmark.HORIZON}})


@pytest.fixture(scope="module")
def answers(cdnow: Frame, params: LtvParams, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    model = FAMILY.fit(cdnow.split("train"), cdnow.split("valid"), params, tmp_path_factory.mktemp("checkpoint"))
    return model.predict(cdnow.split("test")[cdnow.columns])


def figures(test: pd.DataFrame, answers: pd.DataFrame) -> dict[str, float]:
    return {m.name: m.measure(test, answers) for m in FAMILY.metrics if not m.answer or m.answer in answers}


def test_cdnow_reaches_its_figures(cdnow: Frame, answers: pd.DataFrame) -> None:
    found = figures(cdnow.split("test"), answers)

    assert len(answers) == 23_570
    assert found["gini"] > 0.696 and found["spearman"] > 0.421 and found["mae"] < 32.68
    assert 0.77 <= found["coverage80"] <= 0.83


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
    assert figures(test, answers)["mae"] < 0.6 * figures(test, past)["mae"]


def test_the_baselines_are_the_published_ones(cdnow: Frame, params: LtvParams, tmp_path: Path) -> None:
    test = cdnow.split("test")
    past = FAMILY.baselines["past_spend"](cdnow.split("train"), cdnow.split("valid"), params, tmp_path).predict(test)
    gini, spearman, mae = FAMILY.metrics[:3]

    field = benchmark.field(test)

    assert [gini.measure(test, field), gini.measure(test, past)] == pytest.approx([0.672, 0.696], abs=0.001)
    assert [spearman.measure(test, field), spearman.measure(test, past)] == pytest.approx([0.421, 0.395], abs=0.001)
    assert mae.measure(test, field) == pytest.approx(32.68, abs=0.02)


def test_all_that_is_learnt_from_had_happened_by_the_cutoff(cdnow: Frame) -> None:
    rows = cdnow.rows
    ends = rows["event_timestamp"] + pd.to_timedelta(rows["horizon_days"], unit="D")
    cutoff = pd.Timestamp(benchmark.CUTOFF)

    assert (ends[rows["split"] != "test"] <= cutoff).all()
    # Tuning and intervals are of a time that training has not seen, not of other customers at the same time.
    assert ends[rows["split"] == "train"].max() <= rows.loc[rows["split"] == "valid", "event_timestamp"].min()
    assert (rows.loc[rows["split"] == "test", "event_timestamp"] == cutoff).all()


def test_another_future_changes_no_answer(params: LtvParams, tmp_path: Path) -> None:
    before = _some_of_cdnow(tmp_path / "one", params, future=1.0)
    after = _some_of_cdnow(tmp_path / "other", params, future=10.0)

    first, second = (_answers(splits, params, tmp_path / name) for name, splits in (("a", before), ("b", after)))

    assert after["test"]["value"].sum() == pytest.approx(10 * before["test"]["value"].sum())
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_shuffled_label_is_refused(cdnow: Frame, params: LtvParams, tmp_path: Path) -> None:
    shuffled = {name: _shuffled(cdnow.split(name).sample(8000, random_state=1)) for name in ("train", "valid")}
    splits = {**shuffled, "test": cdnow.split("test")}

    verdicts = _verdicts(splits, cdnow.columns, params, tmp_path)

    assert not verdicts["beats_naive"].passed


def test_a_leaked_label_is_refused(cdnow: Frame, params: LtvParams, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    splits = {name: cdnow.split(name).sample(8000, random_state=1) for name in ("train", "valid", "test")}
    leaking = {name: rows.assign(loyalty_points=rows["value"] * rng.uniform(0.99, 1.01, 8000))
               for name, rows in splits.items()}  # fmt: skip

    verdicts = _verdicts(leaking, [*cdnow.columns, "loyalty_points"], params, tmp_path)

    assert not verdicts["no_leak"].passed and "loyalty_points" in verdicts["no_leak"].reason
    assert _verdicts(splits, cdnow.columns, params, tmp_path)["no_leak"].passed


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of a wholesaler's invoice lines as canonical transactions."""
    if not splits.RETAIL.is_file():
        pytest.skip(f"{splits.RETAIL.name} is not there")
    own = tmp_path_factory.mktemp("own")
    splits.retail(own)
    return own


def test_a_retailers_own_tables_are_ranked_better_than_by_past_spend(
    retailer: Path, params: LtvParams, tmp_path: Path
) -> None:
    gains = _gains(retailer, "2010-06-30", 90, params, tmp_path)

    field = {metric: gain for metric, gain in gains.items() if metric[0] != "lightgbm_tweedie"}
    assert {metric: gain for metric, gain in field.items() if gain.low <= 0} == {}
    assert all(gain.high >= 0 for gain in gains.values())


def test_far_beyond_what_history_teaches_past_spend_ranks_as_well(
    retailer: Path, params: LtvParams, tmp_path: Path
) -> None:
    """Seven months of history, a horizon of 160 days across Christmas: a known weakness, told in `limits`."""
    gains = _gains(retailer, "2010-06-30", 160, params, tmp_path)

    assert all(gain.low > 0 for (other, _), gain in gains.items() if other == "bg_nbd_gamma_gamma")
    assert all(gain.low < 0 < gain.high for (other, _), gain in gains.items() if other == "past_spend")


@pytest.mark.parametrize("name", ["complete_journey_84d", "complete_journey_220d", "online_retail_160d"])
def test_intervals_hold_at_other_shops_and_horizons(name: str, tmp_path: Path) -> None:
    """The grocer's autumn after a spring and summer, and horizons four and seven times what history teaches."""
    split = next(one for one in splits.SPLITS if one.name == name)
    if split.source == "online_retail" and not splits.RETAIL.is_file():
        pytest.skip(f"{splits.RETAIL.name} is not there")
    frame, params = splits.featurized(split, tmp_path, Settings(home=tmp_path))

    verdicts = _verdicts(
        {part: frame.split(part) for part in ("train", "valid", "test")}, frame.columns, params, tmp_path
    )

    assert 0.77 <= verdicts["covers"].figures["coverage"] <= 0.83
    assert verdicts["covers"].figures["worst_band"] > 0.65
    assert all(verdicts[gate].passed for gate in ("covers", "calibrated", "not_beaten_by_baselines"))


def _gains(
    source: Path, cutoff: str, horizon: int, params: LtvParams, folder: Path
) -> dict[tuple[str, str], bootstrap.Interval]:
    """By how much the model is better than each baseline in ranking and in error."""
    params = params.model_copy(update={"window": params.window.model_copy(update={"horizon_days": horizon})})
    splits = _featurized(str(source), params, folder, cutoff)
    test, ours = splits["test"], _answers(splits, params, folder)
    assert splits["valid"]["horizon_days"].max() < horizon == test["horizon_days"].max()
    return {
        (name, metric.name): bootstrap.gain(metric, test, ours, fitted.predict(test), params.seed)
        for name, fit in FAMILY.baselines.items()
        for fitted in [fit(splits["train"], splits["valid"], params, folder)]
        for metric in FAMILY.metrics[:3]
    }


def _some_of_cdnow(folder: Path, params: LtvParams, future: float) -> Splits:
    """A tenth of the customers, with all they spend after the cutoff so many times as much."""
    settings = Settings(home=folder)
    ingest(["cdnow"], folder / "whole", settings)
    events = pd.read_parquet(folder / "whole" / "transactions.parquet")
    events = events[events["customer_id"].astype(int) % 10 == 0]
    late = events["occurred_at"] > pd.Timestamp(benchmark.CUTOFF)
    (folder / "some").mkdir()
    events.assign(amount=events["amount"].where(~late, events["amount"] * future)).to_parquet(
        folder / "some" / "transactions.parquet"
    )
    return _featurized(str(folder / "some"), params, folder, benchmark.CUTOFF)


def _featurized(source: str, params: LtvParams, folder: Path, cutoff: str) -> Splits:
    settings = Settings(home=folder)
    ingest([source], folder / "tables", settings)
    section = params.model_dump(mode="json")
    out = folder / "features"
    featurize(folder / "tables", "ltv", section, None, settings, out, cutoff=cutoff, online=False)
    return {name: Frame(out).split(name) for name in ("train", "valid", "test")}


def _answers(splits: Splits, params: LtvParams, folder: Path) -> pd.DataFrame:
    model = FAMILY.fit(splits["train"], splits["valid"], params, folder / "checkpoint")
    return model.predict(splits["test"])


def _verdicts(splits: Splits, features: list[str], params: LtvParams, folder: Path) -> dict[str, Verdict]:
    train, test = splits["train"], splits["test"]
    baselines = {name: make(train, splits["valid"], params, folder) for name, make in FAMILY.baselines.items()}
    evidence = Evidence(
        rows=test[features],
        truth=test[list(FAMILY.label)],
        answers=_answers(splits, params, folder),
        baselines={name: model.predict(test) for name, model in baselines.items()},
        champion=None,
        train=train,
        metric=FAMILY.metrics[0],
        sensitive=(),
        seed=params.seed,
    )
    return {verdict.gate: verdict for verdict in (gate(evidence) for gate in FAMILY.gates)}


def _shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(value=rows["value"].sample(frac=1, random_state=2).to_numpy())
