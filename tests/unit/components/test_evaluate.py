import io
import tempfile
from dataclasses import replace
from pathlib import Path

import business
import numpy as np
import pandas as pd
import pytest
import toyland
from rich.console import Console

from components.evaluate.step import evaluate
from features.contracts import ContractBroken
from features.settings import Settings
from models import catalog
from models.evaluation.folds import stratified
from pipelines import evaluation

SECTION = {**toyland.SECTION, "window": {"horizon_days": 28, "step_days": 56, "min_history_days": 84}}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """State and temporary files in a folder that is looked at afterwards."""
    import feast.metrics  # noqa: F401  keeps a temporary folder of its own from its import to the end of the process

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    yield Settings(home=tmp_path / "home")
    assert not (tmp_path / "home").exists() and not list((tmp_path / "temporary").iterdir()), "something was left"


def subscribers(folder: Path, seed: int) -> Path:
    """The business without its auctions, with a label: those on the basic plan leave more often."""
    business.write(folder, customers=150, seed=seed)
    (folder / "auctions.parquet").unlink()
    customers = pd.read_parquet(folder / "customers.parquet")
    leave = np.where(customers["plan"] == "basic", 0.7, 0.2)
    chance = np.random.default_rng([seed, 1])  # not the seed alone, by which the plans were drawn
    customers["churned"] = chance.random(len(customers)) < leave
    customers.to_parquet(folder / "customers.parquet", index=False)
    return folder


def table(compared) -> pd.DataFrame:
    return pd.DataFrame(compared.table).set_index(["model", "metric"])


def test_without_a_test_folder_subscribers_are_judged_in_folds(toy, tmp_path, settings):
    done = evaluate(toy, str(subscribers(tmp_path / "data", 1)), None, None, None, SECTION, settings)
    assert done.how.startswith("5 stratified folds") and done.rows == 150
    figures = table(done)
    assert list(dict.fromkeys(figures.index.get_level_values("model"))) == ["toy", "recency"]
    assert figures.loc[("toy", "auc"), "value"] > figures.loc[("recency", "auc"), "value"] + 0.1
    assert (figures["low"] <= figures["value"]).all() and (figures["value"] <= figures["high"]).all()
    assert done.seed == SECTION["seed"] and len(done.data_hash) == 64
    (against,) = done.standing
    assert against["baseline"] == "recency" and 0 < against["low"] < against["gain"] < against["high"]
    assert done.recommended == "toy" and done.judged_by == "auc"


def test_a_test_folder_is_never_learnt_from(toy, tmp_path, settings):
    data, test = subscribers(tmp_path / "data", 1), subscribers(tmp_path / "test", 2)
    done = evaluate(toy, str(data), str(test), None, None, SECTION, settings)
    assert done.how == "trained on one folder (150 examples), tested on the other" and done.rows == 150
    # The same customers with the label turned round: a model that had seen them would not be fooled.
    customers = pd.read_parquet(test / "customers.parquet")
    customers.assign(churned=~customers["churned"]).to_parquet(test / "customers.parquet", index=False)
    turned = evaluate(toy, str(data), str(test), None, None, SECTION, settings)
    before, after = (table(run).loc[("toy", "auc"), "value"] for run in (done, turned))
    assert after == pytest.approx(1 - before)


def test_a_baseline_that_wins_is_recommended_by_its_name(toy, tmp_path, settings, monkeypatch):
    family = catalog.family(toy)
    swapped = {"recency": family.baselines["recency"], "all_features": family.fit}
    monkeypatch.setattr(
        catalog, "family", lambda name: replace(family, fit=family.baselines["recency"], baselines=swapped)
    )

    done = evaluate(toy, str(subscribers(tmp_path / "data", 1)), None, None, None, SECTION, settings)

    assert done.recommended == "all_features"
    assert [row["high"] < 0 for row in done.standing] == [False, True]
    assert "Use all_features: significantly better than toy" in _shown(done)


def test_what_is_no_better_than_the_naive_answer_is_not_recommended(toy, tmp_path, settings, monkeypatch):
    family = catalog.family(toy)
    monkeypatch.setattr(catalog, "family", lambda name: replace(family, fit=family.baselines["recency"]))

    done = evaluate(toy, str(subscribers(tmp_path / "data", 1)), None, None, None, SECTION, settings)

    assert done.recommended == "recency"
    assert "Use recency: toy is not significantly better" in _shown(done)


def test_candidates_that_were_chosen_are_counted(toy, tmp_path, settings, monkeypatch):
    family = replace(catalog.family(toy), chosen=lambda model: "ridge")
    monkeypatch.setattr(catalog, "family", lambda name: family)

    done = evaluate(toy, str(subscribers(tmp_path / "data", 1)), None, None, None, SECTION, settings)

    assert done.chosen == {"ridge": 5}
    assert "Use toy: ridge in 5 of 5 fits." in _shown(done)


def test_columns_that_tell_the_label_are_named_and_nothing_is_recommended(toy, tmp_path, settings):
    data = subscribers(tmp_path / "data", 1)
    customers = pd.read_parquet(data / "customers.parquet")
    left = customers["churned"].to_numpy(dtype=bool)
    customers["exit_fee"] = left * np.random.default_rng(1).uniform(20, 90, len(left))
    customers["asked_why"] = np.where(left, np.random.default_rng(2).choice(["price", "service"], len(left)), None)
    customers.to_parquet(data / "customers.parquet", index=False)

    done = evaluate(toy, str(data), None, None, None, SECTION, settings)

    assert set(done.leaking) == {"exit_fee", "asked_why"} and done.recommended is None
    assert "Remove " in _shown(done) and all(f"'{name}'" in _shown(done) for name in done.leaking)


def _shown(evaluated) -> str:
    written = io.StringIO()
    evaluation.show(evaluated, Console(file=written, width=200))
    return written.getvalue()


def test_a_shop_is_judged_at_the_cutoff(toy, tmp_path, settings):
    data = business.write(tmp_path / "data", customers=150)
    told = []
    done = evaluate(
        toy,
        str(data),
        None,
        "2023-12-01",
        "42d",
        SECTION,
        settings,
        tell=lambda what, share: told.append((what, share)),
    )
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] < 1
    assert {"checking the tables", "fitting toy (1 of 2)", "fitting recency (2 of 2)"} <= {what for what, _ in told}
    assert done.how == "trained on earlier data, tested at 2023-12-01"


def test_a_broken_table_is_named_before_anything_is_fitted(toy, tmp_path, settings):
    data = business.write(tmp_path / "data", customers=50)
    transactions = pd.read_parquet(data / "transactions.parquet")
    transactions.loc[3, "customer_id"] = None
    transactions.to_parquet(data / "transactions.parquet", index=False)
    with pytest.raises(ContractBroken, match="customer_id"):
        evaluate(toy, str(data), None, None, None, SECTION, settings)


BIDDING = {
    "seed": 3,
    "window": {"horizon_days": 28, "step_days": 1, "min_history_days": 84},
    "goal": "clicks",
    "pricing": "second",
    "spend": "worthwhile",
    "auctions": 50,
    "rounds": 1,
    "episodes": 2,
    "steps": 5,
    "reward": {},
}


def bidder(folder: Path, seed: int = 7) -> Path:
    """The business, of which the auctions of its last five months are left, and nothing else."""
    file = business.write(folder, customers=10, seed=seed) / "auctions.parquet"
    for table in ("customers", "transactions", "touches"):
        (folder / f"{table}.parquet").unlink()
    auctions = pd.read_parquet(file)
    late = auctions["occurred_at"] >= pd.Timestamp("2023-10-01")
    auctions[late].to_parquet(file, index=False, coerce_timestamps="us")
    return folder


def test_bidding_is_told_by_campaign_and_budget(tmp_path, settings):
    data = bidder(tmp_path / "data")
    done = evaluate("bidding", str(data), None, None, None, BIDDING, settings)
    parts = pd.DataFrame(done.parts)
    assert set(parts["campaign_id"]) == {"autumn", "spring"}
    assert list(dict.fromkeys(parts["situation"])) == ["1/32", "1/16", "1/8", "1/4"]
    assert list(dict.fromkeys(parts["metric"])) == ["clicks", "cost", "wins", "share_of_hindsight"]
    clicks = parts[parts["metric"] == "clicks"].groupby("model")["value"].sum()
    assert set(clicks.index) == {"bidding", "mcpc", "constant", "linear", "ortb", "pid", "rlb"}
    rate = table(done)["value"].xs("clicks_per_mille", level="metric")
    assert (clicks / done.rows * 1000).to_dict() == pytest.approx(rate[clicks.index].to_dict())
    assert clicks["bidding"] > clicks["mcpc"]


def test_all_of_a_test_folder_of_auctions_is_played(tmp_path, settings):
    data, test = (bidder(tmp_path / str(seed), seed) for seed in (1, 2))
    done = evaluate("bidding", str(data), str(test), None, None, BIDDING, settings)
    assert "replayed on the other" in done.how
    auctions = len(pd.read_parquet(test / "auctions.parquet"))
    # Every budget once; what lies across a split's end is left out.
    assert 0.9 * 4 * auctions < done.rows <= 4 * auctions


def test_a_family_without_its_table_says_which(tmp_path, settings):
    data = business.write(tmp_path / "data", customers=10)
    (data / "auctions.parquet").unlink()
    with pytest.raises(ValueError, match="bidding learns from the table 'auctions'"):
        evaluate("bidding", str(data), None, None, None, BIDDING, settings)


def test_folds_share_out_the_label():
    label = pd.Series(np.random.default_rng(0).random(1003) < 0.1).astype(float)
    fold = stratified(label, 5, seed=1)
    positives = label.groupby(fold).sum()
    assert positives.max() - positives.min() <= 1 and np.bincount(fold).min() >= 200
    assert not (fold == stratified(label, 5, seed=2)).all() and (fold == stratified(label, 5, seed=1)).all()
