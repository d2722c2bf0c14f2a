"""The market that `make run` bids in: what is released beside the best of the field's rules, each tuned as they are."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from components.featurize.step import featurize
from components.frame import Frame
from features.settings import Settings
from features.sources import auction_simulator
from models.bidding import FAMILY, BiddingParams, trial
from models.bidding.model import BiddingModel
from models.evaluation import bootstrap

PARAMS = Path(__file__).parents[2] / "params.yaml"
METRIC = FAMILY.metrics[0]


def vs_best_rule() -> dict[str, Any]:
    """The share of hindsight of what is released, as a multiple of the rule's that has most on the same week.

    The rules spend all they may, as the field has them; which one is the best is only known afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        frame = examples(Path(folder))
        learn, tune, test = (frame.split(name) for name in ("train", "valid", "test"))
        read = BiddingParams.read(section())
        plain = read.model_copy(update={"spend": "all"})
        released = FAMILY.fit(learn, tune, read, _new(folder, "released"))
        answers = {
            name: trial(fit(learn, tune, plain, _new(folder, name)), test) for name, fit in FAMILY.baselines.items()
        }
        found = against(test, trial(released, test), answers, read.seed)
        found |= {"seed": read.seed, "data_hash": frame.about["data_hash"][:16]}
    assert isinstance(released, BiddingModel)
    unit = f"share of hindsight of {released.about.policy} over that of the best rule, {found.pop('best')}; its share"
    return {"name": "bidding.simulator.vs_best_rule", "goal": ">= 1", "unit": f"{unit} as baseline", **found}


def section() -> dict[str, Any]:
    """Bidding's section of the parameters."""
    written = yaml.safe_load(PARAMS.read_text())
    return {**written["bidding"], "seed": written["seed"]}


def examples(folder: Path) -> Frame:
    """Of the bundled auctions, with their features."""
    (folder / "tables").mkdir()
    auction_simulator.read(folder / "tables")
    settings = Settings(home=folder / "home")
    featurize(folder / "tables", "bidding", section(), None, settings, folder / "features", online=False)
    return Frame(folder / "features")


def against(truth: pd.DataFrame, own: pd.DataFrame, rules: Mapping[str, pd.DataFrame], seed: int) -> dict[str, Any]:
    """The ratio to the best rule with its interval over the same samples of episodes."""
    shares = {name: METRIC.measure(truth, answers) for name, answers in rules.items()}
    best = max(shares, key=lambda name: shares[name])
    ours, theirs = (bootstrap.samples(METRIC, truth, answers, seed) for answers in (own, rules[best]))
    low, high = np.quantile(ours / theirs, [0.025, 0.975])
    value = METRIC.measure(truth, own) / shares[best]
    return {"value": value, "low": float(low), "high": float(high), "baseline": shares[best], "best": best}


def _new(folder: str, name: str) -> Path:
    place = Path(folder) / name
    place.mkdir()
    return place
