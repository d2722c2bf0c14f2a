"""Fit every policy that may be released, and keep the one that wins most of what it was not fitted on."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from models.bidding import frame, market
from models.bidding.environment import replay
from models.bidding.fit import CANDIDATES, FITS, LOADS, RATIOS, Kept, Lesson, best
from models.bidding.model import About, BiddingModel, Known, Told
from models.bidding.params import BiddingParams
from models.family import Fit, Model

#: What a bid is explained by.
DRIVEN_BY = ("predicted_value", "left", "hour", "weekday", frame.PRICE, "recent_cost", "pacing_debt")


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> BiddingModel:
    """The candidate that wins the most value on `valid`, each of its episodes played with every budget.

    A policy that is fitted is kept in `checkpoint`, and the network after each round: a fit goes on from there.
    """
    lesson = _lesson(train, params, checkpoint)
    models = {name: _model(name, _once(name, lesson), lesson, train) for name in CANDIDATES}
    return models[best({name: _won(model, valid) for name, model in models.items()})]


def baseline(name: str) -> Fit:
    """The policy called `name`, fitted on `train` alone."""

    def fitted(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> Model:
        lesson = _lesson(train, params, checkpoint)
        return _model(name, FITS[name](lesson), lesson, train)

    return fitted


def _lesson(train: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> Lesson:
    return Lesson(frame.episodes(train)[0], params.seed, checkpoint, schedule=params.schedule)


def _model(name: str, policy: Kept, lesson: Lesson, train: pd.DataFrame) -> BiddingModel:
    medians = train.groupby(frame.ENTITY)[list(DRIVEN_BY)].median()
    usual = {str(column): {str(name): value for name, value in medians[column].dropna().items()} for column in medians}
    return BiddingModel(About(policy=name, markets=lesson.markets, usual=usual), policy)


def _once(name: str, lesson: Lesson) -> Kept:
    """The policy as an earlier attempt left it, or fitted and left for a later one."""
    kept = lesson.checkpoint / name
    if not kept.exists():
        policy, aside = FITS[name](lesson), lesson.checkpoint / f"{name}.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        policy.save(aside)
        aside.replace(kept)
    return LOADS[name](kept)


def _won(model: BiddingModel, valid: pd.DataFrame) -> float:
    """Value won on `valid`, over all budgets."""
    episodes, places = frame.episodes(valid)
    known = Known.of(valid.iloc[np.tile(places[:, 0], len(RATIOS))])
    budget = market.budgets(model.about.markets, episodes, RATIOS)
    return float(replay(episodes, budget, Told(model, known)).value.sum())
