"""Each member's graph says what the library it was learnt with says, missing values included."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier

from models.churn import ChurnParams, boosting, forest, logistic, network
from models.churn.basis import Basis
from models.churn.model import session
from models.tabular import Encoder, Matrix, feature_columns


@pytest.fixture(scope="module")
def x(whole: pd.DataFrame) -> Matrix:
    rows = whole[feature_columns(whole, "customer_id", ("churned",))]
    return Encoder.fit(rows).encode(rows)


@pytest.fixture(scope="module")
def churned(whole: pd.DataFrame) -> np.ndarray:
    return whole["churned"].to_numpy(dtype=np.float32)


def run(graph: object, x: Matrix) -> np.ndarray:
    return session(graph.SerializeToString()).run(None, {"x": x})[0][:, 0]


def test_boosting_is_xgboost(x: Matrix, churned: np.ndarray, params: ChurnParams) -> None:
    booster = boosting.train(x, churned, params, seed=1)

    theirs = booster.predict(xgboost.DMatrix(x), output_margin=True)

    np.testing.assert_allclose(run(boosting.graph(booster), x), theirs, atol=1e-5)


def test_forest_is_scikit_learns(
    x: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(RandomForestClassifier, "fit", _keeping(kept, RandomForestClassifier.fit))

    graph = forest.fit(x, churned, params, 1, tmp_path / "progress")

    theirs = kept[0].predict_proba(np.nan_to_num(x, nan=float(np.finfo(np.float32).min)))[:, 1]
    np.testing.assert_allclose(1 / (1 + np.exp(-run(graph, x))), np.clip(theirs, 1e-3, 1 - 1e-3), atol=1e-5)


def _keeping(kept: list[object], fit: object) -> object:
    def keep(self: object, *given: object) -> object:
        kept.append(self)
        return fit(self, *given)

    return keep


def test_linear_pieces_in_the_graph_are_those_it_was_fitted_on(
    x: Matrix, churned: np.ndarray, params: ChurnParams, tmp_path: Path
) -> None:
    basis = Basis.fit(x)
    graph = logistic.fit(x, churned, params, 1, tmp_path / "progress")
    constants = {one.name: np.frombuffer(one.raw_data, np.float32).reshape(one.dims) for one in graph.graph.initializer
                 if one.data_type == 1}  # fmt: skip

    expected = basis.expand(x) @ constants["weight0"] + constants["bias0"]

    np.testing.assert_allclose(run(graph, x), expected[:, 0], atol=1e-5)
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

    assert resumed.SerializeToString(deterministic=True) == whole.SerializeToString(deterministic=True)
    assert resumed != network.fit(x, churned, params, 2, tmp_path / "other.npz")


def test_a_column_that_is_empty_or_constant_has_no_pieces() -> None:
    x = np.column_stack([np.full(9, np.nan), np.full(9, 3.0), np.arange(9.0)]).astype(np.float32)

    basis = Basis.fit(x, bins=4)

    assert set(basis.column) == {2} and list(basis.gaps) == [0]
    assert np.isfinite(basis.expand(x)).all()
