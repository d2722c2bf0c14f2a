"""The model as a whole: what it answers, and that it is the same wherever it runs."""

import dataclasses
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models.churn import FAMILY, ChurnModel, ChurnParams
from models.churn.stacking import Stack
from models.churn.training import fit
from models.inputs import InvalidRows


def test_it_ranks_who_leaves(model: ChurnModel, whole: pd.DataFrame) -> None:
    answers = model.predict(whole)

    assert roc_auc_score(whole["churned"], answers["churn_probability"]) > 0.75
    assert answers["churn_probability"].mean() == pytest.approx(whole["churned"].mean(), abs=0.05)


def test_bands_and_days_follow_the_probability(model: ChurnModel, whole: pd.DataFrame) -> None:
    answers = model.predict(whole).sort_values("churn_probability")

    by_band = answers.groupby("risk_band")["churn_probability"].agg(["min", "max"])
    assert by_band.loc["low", "max"] <= 0.5 < by_band.loc["medium", "min"]
    assert by_band.loc["medium", "max"] <= 0.7 < by_band.loc["high", "min"]
    assert answers["expected_days_to_churn"].is_monotonic_decreasing


def test_saved_it_is_data_only_and_answers_the_same(model: ChurnModel, whole: pd.DataFrame, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = FAMILY.load(tmp_path)

    assert {path.suffix for path in tmp_path.iterdir()} <= {".onnx", ".json", ".txt"}
    pd.testing.assert_frame_equal(loaded.predict(whole), model.predict(whole), check_exact=True)
    pd.testing.assert_frame_equal(loaded.explain(whole.head(9)), model.explain(whole.head(9)), check_exact=True)


def test_a_row_alone_is_answered_as_in_a_batch_of_any_size(model: ChurnModel, whole: pd.DataFrame) -> None:
    many = pd.concat([whole] * 16, ignore_index=True)

    batch = model.predict(many)["churn_probability"].to_numpy()

    alone = [model.predict(many.iloc[[place]])["churn_probability"].iloc[0] for place in (0, 1023, 1024, 9599)]
    np.testing.assert_allclose(batch[[0, 1023, 1024, 9599]], alone, atol=1e-6)
    assert model.predict(many.head(0)).empty


def alone(model: ChurnModel, name: str, fitted: dict[str, ChurnModel]) -> ChurnModel:
    """The model if this baseline had been chosen."""
    return dataclasses.replace(model, members=fitted[name].members, stack=Stack((0.5,), 0.1))


@pytest.fixture(scope="module")
def baselines(
    train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ChurnModel]:
    folder = tmp_path_factory.mktemp("baselines")
    return {name: make(train, valid, params, folder) for name, make in FAMILY.baselines.items()}


@pytest.mark.parametrize("name", ["logistic_regression", "random_forest", "xgboost", "lightgbm"])
def test_whatever_is_chosen_is_saved_explained_and_answers_the_same(
    name: str, model: ChurnModel, baselines: dict[str, ChurnModel], whole: pd.DataFrame, tmp_path: Path
) -> None:
    chosen = alone(model, name, baselines)
    chosen.save(tmp_path)
    loaded = FAMILY.load(tmp_path)

    assert loaded.chosen == chosen.chosen == name
    pd.testing.assert_frame_equal(loaded.predict(whole), chosen.predict(whole), check_exact=True)
    pd.testing.assert_frame_equal(loaded.explain(whole.head(9)), chosen.explain(whole.head(9)), check_exact=True)
    one_by_one = pd.concat([chosen.predict(whole.iloc[[place]]) for place in range(20)])
    pd.testing.assert_frame_equal(one_by_one, chosen.predict(whole).head(20), atol=1e-6)
    drivers = pd.DataFrame([driver for row in chosen.explain(whole)["top_drivers"] for driver in row])
    assert drivers["effect"].abs().groupby(drivers["feature"]).sum().idxmax() == "recency_days"


def test_drivers_are_of_the_boosted_member_with_most_weight(
    model: ChurnModel, baselines: dict[str, ChurnModel], whole: pd.DataFrame
) -> None:
    members = {name: baselines[name].members[name] for name in ("random_forest", "xgboost", "lightgbm")}
    mixed = dataclasses.replace(model, members=members, stack=Stack((0.6, 0.1, 0.3), 0.0))
    x = mixed.encoder.encode(whole.head(20))

    explained = mixed.explain(whole.head(20))

    total = np.array([sum(driver["effect"] for driver in why) for why in explained["top_drivers"]])
    shared = mixed.logits(x)[:, list(members).index("lightgbm")] - total
    np.testing.assert_allclose(shared, shared.mean(), atol=1e-4)
    assert {driver["feature"] for why in explained["top_drivers"] for driver in why} <= set(whole.columns)


def test_a_missing_column_is_named(model: ChurnModel, whole: pd.DataFrame) -> None:
    with pytest.raises(InvalidRows, match="'recency_days'"):
        model.predict(whole.drop(columns="recency_days"))


_CHILD = """
import sys
from pathlib import Path
import pandas as pd
from models.churn import ChurnParams
from models.churn.training import fit
folder = Path(sys.argv[1])
params = ChurnParams.model_validate_json((folder / "params.json").read_text())
fit(pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "valid.parquet"), params, folder / "checkpoint")
"""


def test_killed_and_run_again_it_goes_on_and_ends_the_same(
    model: ChurnModel, train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    train.to_parquet(tmp_path / "train.parquet")
    valid.to_parquet(tmp_path / "valid.parquet")
    (tmp_path / "params.json").write_text(params.model_dump_json())
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path)])
    while not (kept := list(tmp_path.glob("checkpoint/*/forest.0.onnx"))):
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    made = kept[0].stat().st_mtime_ns

    resumed = fit(train, valid, params, tmp_path / "checkpoint")

    assert kept[0].stat().st_mtime_ns == made, "what was done is not done again"
    assert resumed.members == model.members and resumed.stack == model.stack


def test_a_checkpoint_of_other_data_is_not_taken(
    model: ChurnModel, kept: Path, train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    checkpoint = shutil.copytree(kept, tmp_path / "checkpoint")
    other = fit(train.assign(churned=1 - train["churned"]), valid, params, checkpoint)

    assert len(list(checkpoint.iterdir())) == 2
    assert other.members != model.members


def test_a_table_that_tells_nothing_is_refused(
    train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    told = ["recency_days", "spend", "plan", "subscribed"]
    with pytest.raises(ValueError, match="features: expected one column at least that differs between customers"):
        fit(train.assign(**dict.fromkeys(told, 1.0)), valid.assign(**dict.fromkeys(told, 1.0)), params, tmp_path)


@pytest.mark.parametrize("kind", ["identifiers", "all categories", "duplicates", "nothing but one value and gaps"])
def test_hostile_columns_are_answered(
    kind: str, train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    def spoilt(rows: pd.DataFrame) -> pd.DataFrame:
        if kind == "identifiers":
            return rows.assign(account=rows["customer_id"] + "-x", number=np.arange(len(rows)))
        if kind == "all categories":
            return rows.assign(**{name: rows[name].map("{:.0f}".format) for name in ("recency_days", "spend")})
        if kind == "duplicates":
            return pd.concat([rows, rows], ignore_index=True)
        return rows.assign(tick=np.where(np.arange(len(rows)) % 3 == 0, 1.0, np.nan), empty=np.nan, same="x")

    model = fit(spoilt(train), spoilt(valid), params, tmp_path)

    answers = model.predict(spoilt(valid))["churn_probability"]
    assert np.isfinite(answers).all() and not {"account", "empty", "same"} & set(model.encoder.columns)
    assert roc_auc_score(spoilt(valid)["churned"], answers) > 0.65


def test_too_few_leavers_are_refused(
    train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="'churned': expected at least 4 customers who left, got 0"):
        fit(train.assign(churned=0), valid.assign(churned=0), params, tmp_path)


def test_members_learn_from_all_and_the_stack_from_strangers(
    train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that only memory could tell does not sharpen the stack."""
    seen = []
    learn = Stack.fit.__func__
    monkeypatch.setattr(Stack, "fit", classmethod(lambda cls, *given: seen.append(given) or learn(cls, *given)))
    chance = np.random.default_rng(5).permutation(train["churned"])

    fit(train.assign(churned=chance), valid.assign(churned=chance), params, tmp_path)

    logits, churned, latest = seen[-1]
    assert latest.sum() == len(valid)
    assert abs(roc_auc_score(churned, logits.mean(axis=1)) - 0.5) < 0.08


@pytest.mark.parametrize("name", FAMILY.baselines)
def test_baselines_answer_like_the_family(
    name: str, model: ChurnModel, baselines: dict[str, ChurnModel], valid: pd.DataFrame
) -> None:
    answers, why = baselines[name].predict(valid), baselines[name].explain(valid.head(3))

    assert list(answers) == list(model.predict(valid)) and answers.index.equals(valid.index)
    assert roc_auc_score(valid["churned"], answers["churn_probability"]) > 0.65
    assert all(row[0]["feature"] == "recency_days" for row in why["top_drivers"]) or name != "one_feature"


def test_without_purchases_the_naive_answer_is_the_column_that_tells_most(
    train: pd.DataFrame, valid: pd.DataFrame, params: ChurnParams, tmp_path: Path
) -> None:
    bare = {"recency_days": np.nan, "frequency": 0.0}
    renamed = [rows.rename(columns={"recency_days": "months"}).assign(**bare) for rows in (train, valid)]

    baseline = FAMILY.baselines[FAMILY.naive](*renamed, params, tmp_path)

    assert baseline.encoder.columns == ("months",)
