"""Fits every candidate policy, and chooses the best one on held-out episodes."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from models.bidding import frame
from models.bidding.fit import FITS, SavablePolicy, TrainingData, best, held_out
from models.bidding.market import Market
from models.bidding.model import About, BiddingModel
from models.bidding.params import BiddingParams
from models.family import Fit, Model

#: Inputs in explanations of a bid.
DRIVEN_BY = ("predicted_value", "left", "hour", "weekday", frame.PRICE, "recent_cost", "pacing_debt")
#: What each candidate won, in the checkpoint.
WON = "held_out.json"


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> BiddingModel:
    """The best candidate (see `fit.best`), fitted on all data.

    Candidates are compared on halves of `train` and `valid` together, each held out once and replayed with every
    budget, because a week of clicks is too little to distinguish tuned policies. Results, and the network after each
    round, are saved in `checkpoint`, from which an interrupted fit resumes.
    """
    given = training_data(train, valid, params, checkpoint)
    kept = checkpoint / WON
    if not kept.exists():
        aside = kept.with_suffix(".new")
        aside.write_text(json.dumps(held_out(given)))
        aside.replace(kept)
    name = best(json.loads(kept.read_text()))
    return made(name, FITS[name](given), given, train)


def baseline(name: str) -> Fit:
    """The policy `name`, fitted on the same examples with the same `spend` setting."""

    def fitted(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> Model:
        given = training_data(train, valid, params, checkpoint)
        return made(name, FITS[name](given), given, train)

    return fitted


def training_data(
    train: pd.DataFrame,
    valid: pd.DataFrame,
    params: BiddingParams,
    checkpoint: Path,
    known: Mapping[str, Market] | None = None,
) -> TrainingData:
    """Training data of the policies, with the markets `known` from an earlier fit."""
    episodes, _ = frame.episodes(pd.concat([train, valid], ignore_index=True))
    return TrainingData(
        episodes,
        params.seed,
        checkpoint,
        schedule=params.schedule,
        known=known or {},
        reward=params.reward,
        pricing=params.pricing,
        spend=params.spend,
        goal=params.goal,
    )


def made(
    name: str,
    policy: SavablePolicy,
    given: TrainingData,
    train: pd.DataFrame,
    usual: Mapping[str, Mapping[str, float]] | None = None,
) -> BiddingModel:
    """The model of a fitted policy; `usual` has typical values of campaigns that are not in `train`."""
    medians, known = train.groupby(frame.ENTITY)[list(DRIVEN_BY)].median(), usual or {}
    learnt = {str(column): {str(key): value for key, value in medians[column].dropna().items()} for column in medians}
    usual = {column: {**known.get(column, {}), **values} for column, values in learnt.items()}
    about = About(policy=name, markets=given.markets, usual=usual, spend=given.spend, goal=given.goal)
    return BiddingModel(about, policy)
