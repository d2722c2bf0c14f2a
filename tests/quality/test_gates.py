"""What the gates let through and what they refuse, on models that were really trained."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import toyland

from components.gate.step import gate
from components.register.step import register
from components.train.step import train
from features.settings import Settings
from models import catalog
from models.card import SECTIONS, complete
from models.evaluation import fairness, gates, leaks, metrics
from models.evaluation.baseline_comparison import BaselineComparison
from models.evaluation.gates import Evidence
from models.nlp.verdicts import texts_apart
from models.registry import Registry
from models.vision.verdicts import pictures_apart

RNG = np.random.default_rng(2)


@pytest.fixture(autouse=True)
def same_draws(monkeypatch):
    """Each test draws the same numbers, whichever ran before it."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(2))


@pytest.fixture
def home(registry_home, tmp_path):
    return Settings(home=shutil.copytree(registry_home, tmp_path / "home"))


def judge(made: pd.DataFrame, root, settings: Settings):
    features = toyland.write(root / "features", made)
    train(features, "toy", toyland.SECTION, root / "checkpoint", root / "bundle")
    out = root / "evaluation"
    done = gate(features, root / "bundle", "toy", toyland.SECTION, ["age"], settings, out)
    return done, {verdict["gate"]: verdict for verdict in done.gates}


def test_an_honest_model_passes_every_gate(toy, home, tmp_path):
    done, verdicts = judge(toyland.frame(), tmp_path, home)
    assert done.passed, [one["reason"] for one in done.gates if not one["passed"]]
    assert done.metrics["auc"] > done.baseline["auc"]
    assert set(verdicts) == {
        "no_leak",
        "beats_naive",
        "not_beaten_by_baselines",
        "not_worse_than_champion",
        "calibrated",
        "fair",
        "complete_card",
    }
    card = (tmp_path / "evaluation" / "card.md").read_text()
    assert all(f"## {title}\n" in card for title in SECTIONS)
    assert "`made`" in card and "| auc |" in card and "| 55+ |" in card
    held_out = pd.read_parquet(tmp_path / "evaluation" / "held_out.parquet")
    assert list(held_out) == ["truth", "predicted", "naive"] and len(held_out) == done.rows["test"]
    written = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
    assert written["figures"][0]["baselines"].keys() == {"recency"}


@pytest.mark.parametrize("shape", ["number", "category", "many categories", "absence"])
def test_a_leaked_label_is_refused(toy, home, tmp_path, shape):
    made = toyland.frame()
    left = made["churned"] == 1
    made["leak"] = {
        "number": np.where(left, RNG.normal(0, 1, len(made)), RNG.normal(9, 1, len(made))),
        "category": np.where(left, "closed", "open"),
        "many categories": np.where(left, RNG.choice([f"reason {n}" for n in range(24)], len(made)), None),
        "absence": np.where(left, RNG.choice(["price", "service"], len(made)), None),
    }[shape]
    done, verdicts = judge(made, tmp_path, home)
    assert not done.passed and not verdicts["no_leak"]["passed"]
    assert "'leak' alone predicts the label" in verdicts["no_leak"]["reason"]
    version = register(tmp_path / "bundle", tmp_path / "evaluation", home)
    assert version.status == "rejected" and "no_leak" in version.reason
    assert Registry(home).challenger("toy") is None


def test_a_shuffled_label_is_refused(toy, home, tmp_path):
    made = toyland.frame()
    made["churned"] = RNG.permutation(made["churned"].to_numpy())
    done, verdicts = judge(made, tmp_path, home)
    assert not done.passed and not verdicts["beats_naive"]["passed"]


def test_a_worse_model_than_the_champion_is_refused(toy, home, tmp_path):
    made = toyland.frame(3000)
    judge(made, tmp_path / "good", home)
    first = register(tmp_path / "good" / "bundle", tmp_path / "good" / "evaluation", home)
    Registry(home).promote("toy", first.version)
    again, verdicts = judge(made, tmp_path / "same", home)
    assert again.passed and again.champion == again.metrics, "as good as the champion is good enough"
    # Learnt from labels that are mostly noise, judged on true ones.
    noisy = made.copy()
    flipped = (noisy["split"] != "test") & (RNG.random(len(noisy)) < 0.45)
    noisy.loc[flipped, "churned"] = 1 - noisy.loc[flipped, "churned"]
    worse, verdicts = judge(noisy, tmp_path / "noisy", home)
    assert not verdicts["not_worse_than_champion"]["passed"]
    assert worse.compared_with == "version 1"
    # A model that reads something else cannot be compared with it on rows that lack it.
    _, verdicts = judge(made.drop(columns="plan"), tmp_path / "other", home)
    assert verdicts["not_worse_than_champion"]["passed"]


def evidence(**parts) -> Evidence:
    made = toyland.frame(2000)
    chance = np.clip(0.2 + 0.6 * made["churned"] + RNG.normal(0, 0.1, len(made)), 0.01, 0.99)
    answers = pd.DataFrame({"probability": chance})
    rows = made[["recency_days", "spend", "age", "plan"]]
    whole = Evidence(
        rows=rows,
        truth=made[["churned"]],
        answers=answers,
        baselines={"naive": answers.assign(probability=0.5)},
        champion=None,
        train=made,
        metric=metrics.auc("churned", "probability"),
        sensitive=("age",),
        seed=1,
    )
    return dataclasses.replace(whole, **parts)


def blurred(answers: pd.DataFrame, noise: float) -> pd.DataFrame:
    return pd.DataFrame({"probability": np.clip(answers["probability"] + RNG.normal(0, noise, len(answers)), 0, 1)})


def test_a_model_that_any_baseline_beats_is_refused_and_the_baseline_named():
    whole = evidence()
    sharp, naive = whole.answers, whole.answers.assign(probability=0.5)
    worse = dataclasses.replace(
        whole, answers=blurred(sharp, 0.5), baselines={"naive": naive, "tree": sharp, "line": blurred(sharp, 0.3)}
    )

    assert gates.beats_naive(worse).passed, "better than the naive one is not enough"
    verdict = gates.not_beaten_by_baselines(worse)
    assert not verdict.passed and "tree, line significantly better" in verdict.reason
    assert verdict.figures["tree"] < verdict.figures["tree.high"] < 0 < verdict.figures["naive"]


def test_a_baseline_that_is_better_by_noise_alone_refuses_nobody():
    whole = evidence()
    sharp = whole.answers
    equal = dataclasses.replace(whole, baselines={"naive": sharp.assign(probability=0.5), "tree": blurred(sharp, 0.01)})

    verdict = gates.not_beaten_by_baselines(equal)

    assert (
        verdict.passed and "no baseline is significantly better" in verdict.reason and "above tree by" in verdict.reason
    )


@pytest.mark.parametrize("metric", [metrics.auc, metrics.brier])
def test_the_paired_gain_has_one_direction_whatever_the_metric(metric):
    whole = evidence(metric=metric("churned", "probability"))
    standing = BaselineComparison.of(
        whole.metric,
        whole.truth,
        blurred(whole.answers, 0.2),
        {"chance": whole.baselines["naive"], "sharp": whole.answers},
        1,
    )

    assert standing.better == ("sharp",) and standing.recommended("mine") == "sharp"


def test_rows_of_one_class_are_no_comparison():
    whole = evidence()
    one = dataclasses.replace(whole, truth=whole.truth.assign(churned=0))

    verdict = gates.not_beaten_by_baselines(one)

    assert not verdict.passed and "nan" in verdict.reason
    assert BaselineComparison.of(one.metric, one.truth, one.answers, one.baselines, 1).recommended("mine") is None


def test_what_is_no_better_than_the_naive_answer_is_not_recommended():
    whole = evidence()
    guess = pd.DataFrame({"probability": RNG.random(len(whole.truth))})
    rivals = {**whole.baselines, "tree": guess}

    assert BaselineComparison.of(whole.metric, whole.truth, guess, rivals, 1).recommended("mine") == "naive"
    assert BaselineComparison.of(whole.metric, whole.truth, whole.answers, rivals, 1).recommended("mine") == "mine"


def test_a_probability_that_cannot_be_taken_at_its_word_is_refused():
    check = gates.calibrated("churned", "probability")
    chance = RNG.random(4000)
    truth = pd.DataFrame({"churned": (RNG.random(4000) < chance).astype(int)})
    honest = evidence(truth=truth, answers=pd.DataFrame({"probability": chance}))
    boastful = evidence(truth=truth, answers=pd.DataFrame({"probability": np.clip(chance * 1.4 - 0.2, 0, 1)}))
    assert check(honest).passed and not check(boastful).passed


def test_an_interval_that_holds_too_little_or_too_much_is_refused():
    check = gates.covers("value", "low", "high", level=0.8)
    truth = pd.DataFrame({"value": RNG.normal(0, 1, 4000)})
    for width, passes in ((1.28, True), (0.9, False), (2.2, False)):
        band = pd.DataFrame({"low": np.full(4000, -width), "high": np.full(4000, width)})
        assert check(evidence(truth=truth, answers=band)).passed is passes


def decided(share_of_old: float, rows: int = 2000) -> Evidence:
    """Everyone under 55 is decided on half of the time, the others at `share_of_old`."""
    whole = evidence()
    old = whole.rows["age"] == "55+"
    answers = pd.DataFrame({"probability": (RNG.random(2000) < np.where(old, share_of_old, 0.5)).astype(float)})
    return dataclasses.replace(
        whole, rows=whole.rows.head(rows), truth=whole.truth.head(rows), answers=answers.head(rows)
    )


FAIR = gates.fair(lambda truth: truth["churned"] == 1, lambda answers: answers["probability"] >= 0.5)


def test_groups_that_are_treated_differently_are_refused_by_name():
    verdict = FAIR(decided(0.0))
    assert not verdict.passed and "demographic_parity by age is" in verdict.reason
    assert FAIR(decided(0.5)).passed


def test_what_chance_alone_sets_apart_is_not_refused():
    few = decided(0.25, rows=180)
    assert FAIR(few).figures["age.demographic_parity"] > 0.2
    assert FAIR(few).passed


def test_a_sensitive_column_that_is_not_there_is_named_not_hidden():
    verdict = FAIR(evidence(sensitive=("income", "age")))
    assert "not in the data, or without two groups of 50: income" in verdict.reason


def test_small_groups_are_pooled_and_numbers_cut_at_their_quartiles():
    text = pd.Series(["a"] * 100 + ["b"] * 100 + ["c"] * 30 + ["d"] * 30 + [None] * 5, name="group")
    assert fairness.groups(text).value_counts().to_dict() == {"a": 100, "b": 100, "other": 60}
    assert fairness.groups(text[:-36]).isna().sum() == 29, "too few to be a group even together"
    ages = pd.Series(RNG.integers(18, 90, 400), name="age")
    assert fairness.groups(ages).nunique() == 4


def test_the_differences_are_fairlearns():
    from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

    whole = evidence()
    truth, decision = whole.truth["churned"].to_numpy(float), (RNG.random(2000) < 0.4).astype(float)
    parity, odds = fairness.assess(whole.rows["age"], truth, decision).differences
    told = {"y_true": truth, "y_pred": decision, "sensitive_features": whole.rows["age"]}
    assert parity.value == pytest.approx(demographic_parity_difference(**told))
    assert odds.value == pytest.approx(equalized_odds_difference(**told))
    assert 0 <= parity.low < parity.value and 0 <= odds.low < odds.value


def test_an_amount_in_disguise_is_a_leak_and_last_years_amount_is_none():
    spend = RNG.lognormal(3, 1, 3000) * (RNG.random(3000) < 0.6)
    made = pd.DataFrame({"value": spend, "with_tax": spend * 1.2, "last_year": spend * RNG.lognormal(0, 0.5, 3000)})
    found = leaks.scores(made, ["last_year", "with_tax"], ["value"], 1)
    assert list(found) == ["with_tax", "last_year"] and found["with_tax"] > leaks.LIMIT > found["last_year"]


def test_a_card_with_an_empty_section_is_refused(toy):
    assert complete(dict.fromkeys(SECTIONS, "text")).passed
    verdict = complete(dict.fromkeys(SECTIONS, "text") | {"Limits": " "})
    assert not verdict.passed and "Limits" in verdict.reason


@pytest.mark.parametrize("family", catalog.NAMES)
def test_every_family_asks_the_gates_that_all_must_pass(family):
    of_all = {gates.beats_naive, gates.not_beaten_by_baselines, gates.not_worse_than_champion}
    # A text or a picture is all that its label can be read from; there a leak is the same one on both sides.
    apart = {"texts": texts_apart, "images": pictures_apart}
    leak = apart.get(str(catalog.family(family).reads), gates.no_leak)
    assert of_all | {leak} <= set(catalog.family(family).gates)
