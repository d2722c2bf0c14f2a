"""Each member's graph says what the library it was learnt with says, missing values included."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.churn import ChurnParams, boosting, forest, logistic, network, plain
from models.churn.members import Learn, Member
from models.churn.model import session
from models.churn.piecewise_linear import Basis
from models.tabular import Encoder, Matrix, feature_columns


@pytest.fixture(scope="module")
def x(whole: pd.DataFrame) -> Matrix:
    rows = whole[feature_columns(whole, "customer_id", ("churned",))]
    return Encoder.fit(rows).encode(rows)


@pytest.fixture(scope="module")
def churned(whole: pd.DataFrame) -> np.ndarray:
    return whole["churned"].to_numpy(dtype=np.float32)


def run(member: Member, x: Matrix) -> np.ndarray:
    return session(member.graph).run(None, {"x": x})[0][:, 0]


@pytest.fixture(scope="module")
def gaps(x: Matrix) -> Matrix:
    """What is asked: among it values that were never missing when it was learnt."""
    asked = x.copy()
    asked[np.random.default_rng(1).random(x.shape) < 0.2] = np.nan
    return asked


@pytest.mark.parametrize("depth", [3, 6])
def test_boosting_is_xgboost(
    x: Matrix, gaps: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path, depth: int
) -> None:
    (settings,) = [one for one in boosting.CAPACITIES if one["max_depth"] == depth]

    made = boosting.Capacity(settings, 30).learner()(x, churned, params, 1, tmp_path)

    theirs = xgboost.Booster()
    theirs.load_model(bytearray(made.boosted.saved))
    np.testing.assert_allclose(run(made, gaps), theirs.predict(xgboost.DMatrix(gaps), output_margin=True), atol=1e-5)
    assert theirs.num_boosted_rounds() == 30


def test_plain_xgboost_is_the_librarys_default(
    x: Matrix, gaps: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    theirs = xgboost.XGBClassifier(random_state=1, n_jobs=1).fit(x, churned)

    ours = run(plain.xgboost(x, churned, params, 1, tmp_path), gaps)

    np.testing.assert_allclose(expit(ours), theirs.predict_proba(gaps)[:, 1], atol=1e-5)


def test_plain_lightgbm_is_the_librarys_default(
    x: Matrix, gaps: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    theirs = lightgbm.LGBMClassifier(n_jobs=1, verbosity=-1).fit(x, churned)

    ours = run(plain.lightgbm(x, churned, params, 1, tmp_path), gaps)

    np.testing.assert_allclose(expit(ours), theirs.predict_proba(gaps)[:, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("learn", "theirs"),
    [
        (plain.logistic_regression, LogisticRegression(max_iter=2000)),
        (plain.shrunk_regression, LogisticRegressionCV(Cs=plain.STRENGTHS, cv=2, scoring="neg_log_loss")),
    ],
)
def test_plain_regressions_are_scikit_learns(
    learn: Learn, theirs: Any, x: Matrix, gaps: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    pipe = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), theirs).fit(x, churned)

    ours = run(learn(x, churned, params, 1, tmp_path), gaps)

    np.testing.assert_allclose(expit(ours), pipe.predict_proba(gaps)[:, 1], atol=1e-5)


def test_a_regression_is_shrunk_where_nearly_all_is_noise(params: ChurnParams, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1200, 30)).astype(np.float32)
    chance = 1 / (1 + np.exp(-0.5 * x[:, 0]))
    churned = (rng.random(1200) < chance).astype(np.float32)

    def error(learn: Learn) -> float:
        said = run(learn(x[:200], churned[:200], params, 1, tmp_path), x[200:])
        return float(np.mean((expit(said) - chance[200:]) ** 2))

    assert error(plain.shrunk_regression) < 0.6 * error(plain.logistic_regression)


@pytest.mark.parametrize("learn", [forest.fit, plain.random_forest])
def test_forests_are_scikit_learns(
    learn: Learn,
    x: Matrix,
    gaps: Matrix,
    churned: np.ndarray,
    params: ChurnParams,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[RandomForestClassifier] = []
    monkeypatch.setattr(RandomForestClassifier, "fit", _keeping(kept, RandomForestClassifier.fit))

    made = learn(x, churned, params, 1, tmp_path / "progress")

    theirs = kept[0].predict_proba(np.nan_to_num(gaps, nan=float(np.finfo(np.float32).min)))[:, 1]
    np.testing.assert_allclose(expit(run(made, gaps)), np.clip(theirs, 1e-3, 1 - 1e-3), atol=1e-5)


def _keeping(kept: list[RandomForestClassifier], fit: Callable[..., Any]) -> Callable[..., Any]:
    def keep(self: RandomForestClassifier, *given: Any) -> Any:
        kept.append(self)
        return fit(self, *given)

    return keep


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_tree_shap_adds_up_to_what_is_answered(
    name: str, x: Matrix, gaps: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    made = plain.PLAIN[name](x, churned, params, 1, tmp_path)

    shared = run(made, gaps) - made.boosted.effects(gaps).sum(axis=1)

    np.testing.assert_allclose(shared, shared.mean(), atol=1e-4)


def test_capacity_is_deep_where_interactions_bear_it_and_shallow_where_they_do_not(
    params: ChurnParams,
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 8)).astype(np.float32)
    held, longer = np.arange(3000) % 4 == 0, params.model_copy(update={"rounds": 400})
    parity = (np.sign(x[:, 0] * x[:, 1] * x[:, 2]) * 2 + rng.logistic(size=3000) > 0).astype(np.float32)
    slope = (0.15 * x.sum(axis=1) + rng.logistic(size=3000) > 0).astype(np.float32)

    deep = boosting.Capacity.chosen(x, parity, held, longer)
    shallow = boosting.Capacity.chosen(x, slope, held, longer)

    assert deep.settings["max_depth"] == 6 and shallow.settings["max_depth"] == 3
    assert shallow.rounds < longer.rounds, "it stopped where more taught nothing"


def test_linear_pieces_in_the_graph_are_those_it_was_fitted_on(
    x: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    basis = Basis.fit(x)
    made = logistic.fit(x, churned, params, 1, tmp_path / "progress")
    stored = onnx.load_from_string(made.graph).graph.initializer
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in stored}

    expected = basis.expand(x) @ constants["weight0"] + constants["bias0"]

    np.testing.assert_allclose(run(made, x), expected[:, 0], atol=1e-5)
    assert np.abs(basis.expand(x).mean(axis=0)).max() < 1e-5


def test_a_network_that_was_stopped_ends_as_one_that_was_not(
    x: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "SAVE_EVERY", 20)
    whole = network.fit(x, churned, params, 1, tmp_path / "whole.npz")
    keep = network._keep

    def keep_and_stop(progress: Path, layers: object, optimizer: object, steps: int) -> None:
        keep(progress, layers, optimizer, steps)
        if steps == 40:
            raise KeyboardInterrupt

    monkeypatch.setattr(network, "_keep", keep_and_stop)
    with pytest.raises(KeyboardInterrupt):
        network.fit(x, churned, params, 1, tmp_path / "stopped.npz")
    monkeypatch.setattr(network, "_keep", keep)
    resumed = network.fit(x, churned, params, 1, tmp_path / "stopped.npz")

    assert resumed == whole
    assert resumed != network.fit(x, churned, params, 2, tmp_path / "other.npz")


def test_a_column_that_is_empty_or_constant_has_no_pieces() -> None:
    x = np.column_stack([np.full(9, np.nan), np.full(9, 3.0), np.arange(9.0)]).astype(np.float32)

    basis = Basis.fit(x, bins=4)

    assert set(basis.column) == {2} and list(basis.gaps) == [0]
    assert np.isfinite(basis.expand(x)).all()
