"""The market that `make run` bids in: what is released beside the best of the field's rules, each tuned as they are.

The policies are within a percent of each other: by the few hundred clicks of a week, the best of six rules, picked
afterwards, is ahead of an equally good policy in every second week. So beside the clicks that came, the policies are
compared by what winning brings on average: by the true chances of a click, which the simulator alone knows.
"""

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
from features.simulator.opportunities import Simulator, join
from features.simulator.published import PUBLISHED
from features.sources import auction_simulator
from features.sources.auction_simulator import DAYS, SEED
from models.bidding import FAMILY, BiddingParams, trial
from models.bidding.examples import with_budgets
from models.bidding.model import BiddingModel
from models.evaluation import bootstrap

PARAMS = Path(__file__).parents[2] / "params.yaml"
METRIC = FAMILY.metrics[0]


def rows() -> list[dict[str, Any]]:
    """The share of hindsight of what is released, as a multiple of the rule's that has most on the same week.

    The rules spend all they may, as the field has them; which one is the best is only known afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        frame = examples(Path(folder))
        learn, tune, test = (frame.split(name) for name in ("train", "valid", "test"))
        read = BiddingParams.read(section())
        plain = read.model_copy(update={"spend": "all"})
        released = FAMILY.fit(learn, tune, read, _new(folder, "released"))
        own = trial(released, test)
        rules = {
            name: trial(fit(learn, tune, plain, _new(folder, name)), test) for name, fit in FAMILY.baselines.items()
        }
        told = {"seed": read.seed, "data_hash": frame.about["data_hash"][:16]}
    assert isinstance(released, BiddingModel)
    unit = f"share of hindsight of {released.about.policy} over that of the best rule, {{}}; its share as baseline"
    found = {
        "vs_best_rule": against(test, own, rules, read.seed),
        "vs_best_rule_by_chance": against(by_chance(test), own, rules, read.seed),
    }
    return [
        {"name": f"bidding.simulator.{name}", "goal": ">= 1", "unit": unit.format(figure.pop("best")), **told, **figure}
        for name, figure in found.items()
    ]


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


def by_chance(test: pd.DataFrame) -> pd.DataFrame:
    """The same auctions, each worth its true chance of a click, and the optimum in hindsight of that."""
    key = ["campaign_id", "market_price", "predicted_value"]
    drawn = [(name, join(list(Simulator.published(name, SEED).stream(DAYS)))) for name in PUBLISHED]
    columns = [(np.full(len(one), name), one.market_price, one.predicted_ctr, one.ctr) for name, one in drawn]
    known = pd.concat([pd.DataFrame(dict(zip([*key, "chance"], each, strict=True))) for each in columns])
    chance = test[key].merge(known, on=key, validate="many_to_one")["chance"]
    return with_budgets(test.assign(value=chance.to_numpy()), test["budget"].to_numpy())


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
