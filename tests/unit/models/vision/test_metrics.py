"""Each metric is of the pictures that its truth is told of; samples are measured as their rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import f1_score

from models.image.box import Box, to_json
from models.vision.metrics import METRICS, ap50, skill

RNG = np.random.default_rng(1)
TRUTH = pd.DataFrame({"label": RNG.choice(["a", "b", None], 300), "rating": RNG.normal(3, 1, 300)})
TRUTH.loc[RNG.random(300) < 0.3, "rating"] = np.nan
ANSWERS = pd.DataFrame(
    {
        "label": np.where(RNG.random(300) < 0.6, TRUTH["label"].fillna("a"), RNG.choice(["a", "b"], 300)),
        "confidence": RNG.random(300),
        "rating": TRUTH["rating"].fillna(0) + RNG.normal(0, 1, 300),
    }
)
#: What is drawn in every third picture, and found within a few pixels of it.
TRUTH["boxes"] = [to_json([Box("cup", 1, 0, 0, 20, 20)]) if place % 3 == 0 else None for place in range(300)]
ANSWERS["boxes"] = [to_json([Box("cup", score, off, 0, 20, 20)]) for score, off in RNG.random((300, 2)) * (1, 19)]
#: Of a table without labels, of one without ratings, and of one without boxes.
UNTOLD = {
    name: TRUTH.assign(**{name: nothing}) for name, nothing in (("label", None), ("rating", np.nan), ("boxes", None))
}
UNLABELLED, UNRATED = UNTOLD["label"], UNTOLD["rating"]


def test_skill_is_the_mean_of_what_is_told() -> None:
    named, rated = TRUTH["label"].notna(), TRUTH["rating"].notna()
    f1 = f1_score(TRUTH.loc[named, "label"], ANSWERS.loc[named, "label"], average="macro")
    correlation = spearmanr(TRUTH.loc[rated, "rating"], ANSWERS.loc[rated, "rating"])[0]
    precision = ap50().measure(TRUTH, ANSWERS)
    assert 0.2 < precision < 0.8
    assert skill().measure(TRUTH, ANSWERS) == pytest.approx((f1 + correlation + precision) / 3)
    undrawn = {name: frame.assign(boxes=None) for name, frame in (("label", UNLABELLED), ("rating", UNRATED))}
    assert skill().measure(TRUTH.assign(boxes=None), ANSWERS) == pytest.approx((f1 + correlation) / 2)
    assert skill().measure(undrawn["label"], ANSWERS) == pytest.approx(correlation)
    assert skill().measure(undrawn["rating"], ANSWERS) == pytest.approx(f1)
    assert skill().measure(undrawn["label"], ANSWERS.assign(rating=3.0)) == 0


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_what_is_told_of_no_picture_is_undefined(metric) -> None:
    of = {"spearman": "rating", "mae": "rating", "ap50": "boxes", "skill": ""}.get(metric.name, "label")
    untold = {name: frame for name, frame in UNTOLD.items() if np.isnan(metric.measure(frame, ANSWERS))}
    assert list(untold) == ([of] if of else [])
    for frame in untold.values():
        assert np.isnan(metric.resample(frame, ANSWERS, np.ones((3, 300)))).all()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_sample_is_measured_as_its_rows(metric) -> None:
    drawn = RNG.integers(0, 300, 300)
    weights = np.bincount(drawn, minlength=300)[None].astype(float)
    rows = TRUTH.iloc[drawn].reset_index(drop=True), ANSWERS.iloc[drawn].reset_index(drop=True)
    apart = 0.05 if metric.name == "ece" else 1e-9  # the bins of ece are those of the whole sample
    assert metric.resample(TRUTH, ANSWERS, weights)[0] == pytest.approx(metric.measure(*rows), abs=apart)
