import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.evaluation import bootstrap
from models.ltv import FAMILY, LtvParams, ValueModel


@pytest.fixture(scope="module")
def model(
    train: pd.DataFrame, valid: pd.DataFrame, params: LtvParams, tmp_path_factory: pytest.TempPathFactory
) -> ValueModel:
    return FAMILY.fit(train, valid, params, tmp_path_factory.mktemp("checkpoint"))


def test_half_of_the_value_is_the_plain_answer_at_the_same_level(model: ValueModel, valid: pd.DataFrame) -> None:
    assert model.plain is not None
    own = replace(model, plain=None).predict(valid)["value"].to_numpy()
    horizon = np.full(len(valid), float(model.horizon))

    plain = model.plain.value(model.encoder.encode(valid), horizon, own)

    assert model.predict(valid)["value"].to_numpy() == pytest.approx((own + plain) / 2)
    usual = own <= np.quantile(own, 0.99)  # one wholesaler must not raise what all others are said to be worth
    assert plain[usual].sum() == pytest.approx(own[usual].sum())


def test_a_wholesaler_keeps_its_lead_over_what_trees_have_seen(model: ValueModel, test: pd.DataFrame) -> None:
    assert model.plain is not None
    encoded, horizon = model.encoder.encode(test.head(1)), np.full(1, float(model.horizon))
    most = model.plain.most * model.horizon

    usual, twice, tenfold = (model.plain.value(encoded, horizon, np.array([most * k])) for k in (0.5, 2, 10))

    assert twice == pytest.approx(2 * usual) and tenfold == pytest.approx(10 * usual)


def test_spend_that_follows_a_feature_alone_is_not_left_to_the_plain_baseline(
    train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    """What no purchase tells: the plain regression is made for it, and the family is not beaten by it beyond noise."""
    rng = np.random.default_rng(1)

    def club(rows: pd.DataFrame) -> pd.DataFrame:
        member = rng.random(len(rows)) < 0.5
        return rows.assign(
            club=member, value=rows["value"].sample(frac=1, random_state=1).to_numpy() * (1 + 9 * member)
        )

    train, valid, test = (club(rows) for rows in (train, valid, test))
    ours, theirs = (
        fit(train, valid, params, tmp_path).predict(test) for fit in (FAMILY.fit, FAMILY.baselines["lightgbm_tweedie"])
    )

    gain = bootstrap.gain(FAMILY.metrics[0], test, ours, theirs, 1)
    assert gain.high >= 0 and FAMILY.metrics[0].measure(test, ours) > 0.3


def test_the_plain_baseline_answers_what_the_model_does(
    train: pd.DataFrame, valid: pd.DataFrame, test: pd.DataFrame, params: LtvParams, tmp_path: Path
) -> None:
    twice = params.model_copy(update={"window": params.window.model_copy(update={"horizon_days": 120})})
    near, far = (FAMILY.baselines["lightgbm_tweedie"](train, valid, p, tmp_path).predict(test) for p in (params, twice))

    assert set(near) == {"value", "value_low", "value_high", "churn_risk"}
    assert near["churn_risk"].mean() == pytest.approx((valid["value"] <= 0).mean(), abs=0.03)
    assert far["value"].to_numpy() == pytest.approx(2 * near["value"].to_numpy())
    assert (far["churn_risk"] < near["churn_risk"]).all()
    assert (near["value_low"] <= near["value"]).all() and (near["value"] <= near["value_high"]).all()


def test_a_model_saved_before_there_was_a_plain_half_has_none(
    model: ValueModel, test: pd.DataFrame, tmp_path: Path
) -> None:
    model.save(tmp_path)
    saved = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({name: it for name, it in saved.items() if name != "plain"}))
    (tmp_path / "plain.txt").unlink()

    old = ValueModel.load(tmp_path)

    pd.testing.assert_frame_equal(old.predict(test), replace(model, plain=None).predict(test))
    assert old.explain(test.head(3)).shape == (3, 1)
