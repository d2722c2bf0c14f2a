"""Metrics of labels agree with scikit-learn's, and leave out what is out of scope."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from models.evaluation import bootstrap
from models.nlp.metrics import METRICS, accuracy, macro_f1, scope_auroc

RNG = np.random.default_rng(1)
TRUTH = pd.DataFrame({"label": RNG.choice(["a", "b", "c", "oos"], 400)})
SAID = RNG.choice(["a", "b", "c", "d"], 400)
ANSWERS = pd.DataFrame(
    {
        "label": np.where(RNG.random(400) < 0.6, TRUTH["label"], SAID),
        "confidence": RNG.random(400),
        "in_scope": RNG.random(400) + 0.3 * (TRUTH["label"] != "oos"),
    }
)


def test_they_are_those_of_scikit_learn() -> None:
    known = TRUTH["label"] != "oos"
    truth, said = TRUTH.loc[known, "label"], ANSWERS.loc[known, "label"]
    assert accuracy().measure(TRUTH, ANSWERS) == pytest.approx(accuracy_score(truth, said))
    expected = f1_score(truth, said, labels=["a", "b", "c"], average="macro")
    assert macro_f1().measure(TRUTH, ANSWERS) == pytest.approx(expected)
    assert scope_auroc().measure(TRUTH, ANSWERS) == pytest.approx(roc_auc_score(known, ANSWERS["in_scope"]))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_sample_is_measured_as_its_rows(metric) -> None:
    drawn = RNG.integers(0, 400, 400)
    weights = np.bincount(drawn, minlength=400)[None].astype(float)
    rows = TRUTH.iloc[drawn].reset_index(drop=True), ANSWERS.iloc[drawn].reset_index(drop=True)
    if metric.name == "ece":  # its bins are those of the whole sample
        assert metric.resample(TRUTH, ANSWERS, weights)[0] == pytest.approx(metric.measure(*rows), abs=0.05)
    else:
        assert metric.resample(TRUTH, ANSWERS, weights)[0] == pytest.approx(metric.measure(*rows))
    found = bootstrap.interval(metric, TRUTH, ANSWERS, 1)
    assert found.low < found.value < found.high or metric.name == "ece"


def test_scope_without_texts_out_of_it_is_undefined() -> None:
    assert np.isnan(scope_auroc().measure(TRUTH.assign(label="a"), ANSWERS))
