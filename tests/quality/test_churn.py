"""Churn: no plain model beats it, on real subscribers and made ones, and what is leaked or shuffled is refused.

`make benchmark` measures it on all subscribers and on the grocer's households.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.frame import Frame
from components.params import load
from features.settings import Settings
from models.churn import FAMILY, ChurnParams
from models.evaluation import bootstrap, gates
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.gates import Evidence
from tests.benchmarks import churn as benchmark
from tests.quality import plain_tables
from tests.quality.evidence import gather, splits, unanswered

AUC = FAMILY.metrics[0]
evidence_of = partial(gather, FAMILY, sensitive=("age", "income"))
Telco = tuple[Frame, ChurnParams]


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Telco:
    if not benchmark.TELCO.is_file():
        pytest.skip(f"{benchmark.TELCO.name} is not there")
    home = tmp_path_factory.mktemp("telco")
    return benchmark.telco(home, Settings(home=home))


@pytest.fixture(scope="module")
def written() -> ChurnParams:
    return FAMILY.params.read(load(benchmark.ROOT / "params.yaml").section("churn"))


def lighter(params: ChurnParams) -> ChurnParams:
    """Small enough to be fitted in seconds."""
    return params.model_copy(update={"folds": 2, "trees": 30, "rounds": 300, "steps": 50})


def some(frame: Frame) -> dict[str, pd.DataFrame]:
    """A sixth of the rows of each split: enough for what a gate refuses at a glance."""
    return {name: rows.sample(frac=1 / 6, random_state=1) for name, rows in splits(frame).items()}


@pytest.fixture(scope="module")
def honest(telco: Telco, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The telecom as it is, answered of those who are held out."""
    frame, params = telco
    folder = tmp_path_factory.mktemp("honest")
    return evidence_of(splits(frame), frame.columns, lighter(params), folder, ["logistic_regression"])


def test_the_telecoms_subscribers_are_ranked_beyond_logistic_regression_and_calibrated(honest: Evidence) -> None:
    """All of them, out of fold, are in `make benchmark`."""
    truth, answers, theirs = honest.truth, honest.answers, honest.baselines["logistic_regression"]

    assert bootstrap.gain(AUC, truth, answers, theirs, honest.seed).low > 0
    assert benchmark.METRICS["ece"].measure(truth, answers) <= 0.02


@pytest.mark.parametrize(
    ("kind", "rows", "rate"),
    [("deep", 3500, 0.3), ("line", 3000, 0.3), ("line", 800, 0.3), ("cities", 1200, 0.2), ("empty", 2800, 0.16)],
)
def test_no_plain_model_beats_it(kind: str, rows: int, rate: float, written: ChurnParams, tmp_path: Path) -> None:
    made = plain_tables.table(kind, rows, rate, seed=1)
    train, valid, test = (made[made["split"] == name] for name in ("train", "valid", "test"))

    model = FAMILY.fit(train, valid, lighter(written), tmp_path)

    baselines = {name: make(train, valid, written, tmp_path).predict(test) for name, make in FAMILY.baselines.items()}
    standing = BaselineComparison.of(AUC, test[["churned"]], model.predict(test), baselines, 1)
    assert standing.better == () and standing.recommended("churn") == "churn", (model.chosen, standing)
    assert not any(name.startswith(("nothing", "same")) for name in model.encoder.columns)


def test_a_shuffled_label_is_refused(telco: Telco, tmp_path: Path) -> None:
    """Also where, as after this shuffling, it happens to beat the naive answer, within noise.

    That of all splits: an arbitrary direction, learnt from noise, may rank the true label.
    """
    frame, params = telco
    rows = some(frame)
    for name in rows:
        mixed = rows[name]["churned"].sample(frac=1, random_state=6).to_numpy()
        rows[name] = rows[name].assign(churned=mixed)

    shuffled = evidence_of(rows, frame.columns, lighter(params), tmp_path, [FAMILY.naive])
    assert gates.beats_naive in FAMILY.gates and not gates.beats_naive(shuffled).passed


def test_a_leaked_label_is_refused(telco: Telco, honest: Evidence) -> None:
    frame, params = telco
    rng = np.random.default_rng(1)
    leaking = {
        name: rows.assign(exit_fee=rows["churned"] * rng.uniform(20, 90, len(rows)))
        for name, rows in some(frame).items()
    }

    leaked = gates.no_leak(unanswered(FAMILY, leaking, [*frame.columns, "exit_fee"], params.seed))

    assert gates.no_leak in FAMILY.gates and gates.no_leak(honest).passed
    assert not leaked.passed and "exit_fee" in leaked.reason
