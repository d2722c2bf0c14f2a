import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as reference

from models.evaluation import bootstrap, calibration, metrics
from models.evaluation.metrics import Metric
from models.evaluation.table import table

RNG = np.random.default_rng(5)
ROWS = 600
# Rounded, so that there are many ties.
CHANCE = RNG.beta(1, 3, ROWS).round(2)
TRUTH = pd.DataFrame({"bought": (RNG.random(ROWS) < CHANCE).astype(int)})
TRUTH["spend"] = TRUTH["bought"] * RNG.lognormal(3, 1, ROWS)
ANSWERS = pd.DataFrame({"chance": CHANCE, "expected": (CHANCE * 40).round()})
ANSWERS["low"], ANSWERS["high"] = ANSWERS["expected"] - 20, ANSWERS["expected"] + 20

ALL = (
    metrics.auc("bought", "chance"),
    metrics.average_precision("bought", "chance"),
    metrics.log_loss("bought", "chance"),
    metrics.brier("bought", "chance"),
    metrics.gini("spend", "expected"),
    metrics.spearman("spend", "expected"),
    metrics.mae("spend", "expected"),
    metrics.rmse("spend", "expected"),
    metrics.lift("spend", "expected"),
    metrics.coverage("spend", "low", "high", 0.8),
)
y, p, v, e = TRUTH["bought"], ANSWERS["chance"], TRUTH["spend"], ANSWERS["expected"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.auc("bought", "chance"), reference.roc_auc_score(y, p)),
        (metrics.average_precision("bought", "chance"), reference.average_precision_score(y, p)),
        (metrics.log_loss("bought", "chance"), reference.log_loss(y, p)),
        (metrics.brier("bought", "chance"), reference.brier_score_loss(y, p)),
        (metrics.gini("bought", "chance"), 2 * reference.roc_auc_score(y, p) - 1),
        (metrics.spearman("spend", "expected"), stats.spearmanr(v, e).statistic),
        (metrics.mae("spend", "expected"), reference.mean_absolute_error(v, e)),
        (metrics.rmse("spend", "expected"), reference.root_mean_squared_error(v, e)),
        (metrics.coverage("spend", "low", "high", 0.8), ((v >= e - 20) & (v <= e + 20)).mean()),
    ],
    ids=lambda value: value.name if isinstance(value, Metric) else "",
)
def test_figures_are_those_of_the_libraries(metric, expected):
    assert metric.measure(TRUTH, ANSWERS) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_weight_is_a_row_drawn_so_many_times(metric):
    drawn = RNG.integers(0, ROWS, ROWS)
    weights = np.bincount(drawn, minlength=ROWS).astype(float)
    taken = metric.measure(TRUTH.iloc[drawn], ANSWERS.iloc[drawn])
    assert metric.resample(TRUTH, ANSWERS, weights[None])[0] == pytest.approx(taken, rel=1e-9)


def test_a_perfect_ranking_has_a_gini_of_one_and_none_has_zero():
    assert metrics.gini("spend", "spend").measure(TRUTH, TRUTH) == pytest.approx(1)
    flat = pd.DataFrame({"same": np.ones(ROWS)})
    assert metrics.gini("spend", "same").measure(TRUTH, flat) == pytest.approx(0, abs=1e-12)
    assert metrics.lift("spend", "same").measure(TRUTH, flat) == pytest.approx(1)


def test_lift_is_the_best_tenth_over_the_average():
    best = v[v.rank(ascending=False) <= ROWS / 10]
    assert metrics.lift("spend", "spend").measure(TRUTH, TRUTH) == pytest.approx(best.mean() / v.mean())
    assert metrics.lift("spend", "spend").name == "lift_10"


def test_ece_is_the_weighted_gap_between_chance_and_rate():
    truth = pd.DataFrame({"y": [0, 0, 0, 1] * 50 + [1] * 200})
    answers = pd.DataFrame({"p": [0.25] * 200 + [0.9] * 200})
    assert metrics.ece("y", "p").measure(truth, answers) == pytest.approx(0.05)


def test_one_class_leaves_auc_undefined():
    assert np.isnan(metrics.auc("y", "chance").measure(pd.DataFrame({"y": np.zeros(ROWS)}), ANSWERS))
    figure = bootstrap.interval(metrics.auc("y", "chance"), pd.DataFrame({"y": np.zeros(ROWS)}), ANSWERS, 0)
    assert np.isnan(figure.low)


def test_an_interval_is_seeded_and_holds_its_value():
    auc = metrics.auc("bought", "chance")
    figure = bootstrap.interval(auc, TRUTH, ANSWERS, seed=1)
    assert figure.low < figure.value < figure.high
    assert figure == bootstrap.interval(auc, TRUTH, ANSWERS, seed=1)
    assert figure != bootstrap.interval(auc, TRUTH, ANSWERS, seed=2)


def test_an_interval_of_a_mean_has_the_width_that_theory_gives():
    figure = bootstrap.interval(metrics.mae("spend", "expected"), TRUTH, ANSWERS, seed=1)
    width = 2 * 1.96 * np.abs(v - e).std() / np.sqrt(ROWS)
    assert figure.high - figure.low == pytest.approx(width, rel=0.15)


def test_a_paired_gain_is_surer_than_two_intervals():
    worse = ANSWERS.assign(chance=ANSWERS["chance"] + RNG.normal(0, 0.05, ROWS))
    auc = metrics.auc("bought", "chance")
    gain = bootstrap.gain(auc, TRUTH, ANSWERS, worse, seed=1)
    alone = bootstrap.interval(auc, TRUTH, ANSWERS, seed=1)
    assert gain.value == pytest.approx(auc.measure(TRUTH, ANSWERS) - auc.measure(TRUTH, worse))
    assert gain.high - gain.low < (alone.high - alone.low) / 2


def test_a_gain_in_what_should_be_low_is_positive_where_it_is_lower():
    worse = ANSWERS.assign(expected=ANSWERS["expected"] + 100)
    gain = bootstrap.gain(metrics.mae("spend", "expected"), TRUTH, ANSWERS, worse, seed=1)
    assert 0 < gain.low < gain.value < gain.high


def test_a_metric_of_ones_own_is_resampled_by_taking_rows():
    own = Metric("sold", lambda truth, answers: float(truth["spend"].sum()))
    figure = bootstrap.interval(own, TRUTH, ANSWERS, seed=1)
    assert figure.low < v.sum() < figure.high


def test_noise_is_what_a_calibrated_model_is_measured_at():
    ece = metrics.ece("bought", "chance").measure(TRUTH, ANSWERS)
    few, many = (calibration.noise(np.resize(CHANCE, rows), seed=1) for rows in (200, 20000))
    assert many < 0.01 < few
    assert ece == pytest.approx(calibration.noise(CHANCE, seed=1), abs=0.02)


def test_a_curve_goes_up_by_tenths_and_loses_no_row():
    curve = calibration.curve(y.to_numpy(float), CHANCE)
    assert curve["rows"].sum() == ROWS and curve["predicted"].is_monotonic_increasing
    assert np.average(curve["actual"], weights=curve["rows"]) == pytest.approx(y.mean())


def test_a_table_leaves_out_what_a_model_does_not_answer():
    figures = table(ALL, TRUTH, {"model": ANSWERS, "flat": ANSWERS[["chance"]]}, seed=1)
    assert set(figures.loc[figures["model"] == "flat", "metric"]) == {
        "auc",
        "average_precision",
        "log_loss",
        "brier",
    }
    assert (figures["low"] <= figures["value"]).all() and (figures["value"] <= figures["high"]).all()
