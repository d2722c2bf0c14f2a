"""Fit every policy that may be released, and ship the one that wins most of what it has not learnt from."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from models.bidding import frame
from models.bidding.fit import FITS, Kept, Lesson, best, held_out
from models.bidding.market import Market
from models.bidding.model import About, BiddingModel
from models.bidding.params import BiddingParams
from models.family import Fit, Model

#: What a bid is explained by.
DRIVEN_BY = ("predicted_value", "left", "hour", "weekday", frame.PRICE, "recent_cost", "pacing_debt")
#: What each candidate won, in the checkpoint.
WON = "held_out.json"


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> BiddingModel:
    """The best of the candidates, fitted on all there is; see `fit.best` for what is best.

    Which that is, halves of `train` and `valid` together say, each held out once and played with every budget: a week
    of clicks alone is too few to tell tuned policies apart. What they won is kept in `checkpoint`, as is the network
    after each round: a fit that was stopped goes on from there.
    """
    given = lesson(train, valid, params, checkpoint)
    kept = checkpoint / WON
    if not kept.exists():
        aside = kept.with_suffix(".new")
        aside.write_text(json.dumps(held_out(given)))
        aside.replace(kept)
    name = best(json.loads(kept.read_text()))
    return made(name, FITS[name](given), given, train)


def baseline(name: str) -> Fit:
    """The policy called `name`, fitted on the same examples; it keeps what is not worth spending, as asked of all."""

    def fitted(train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path) -> Model:
        given = lesson(train, valid, params, checkpoint)
        return made(name, FITS[name](given), given, train)

    return fitted


def lesson(
    train: pd.DataFrame,
    valid: pd.DataFrame,
    params: BiddingParams,
    checkpoint: Path,
    known: Mapping[str, Market] | None = None,
) -> Lesson:
    """All there is to learn from, beside the markets `known` already."""
    episodes, _ = frame.episodes(pd.concat([train, valid], ignore_index=True))
    return Lesson(
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
    policy: Kept,
    given: Lesson,
    train: pd.DataFrame,
    usual: Mapping[str, Mapping[str, float]] | None = None,
) -> BiddingModel:
    """The model of a policy that was fitted; `usual` is what is so in campaigns that `train` does not tell of."""
    medians, known = train.groupby(frame.ENTITY)[list(DRIVEN_BY)].median(), usual or {}
    learnt = {str(column): {str(key): value for key, value in medians[column].dropna().items()} for column in medians}
    usual = {column: {**known.get(column, {}), **values} for column, values in learnt.items()}
    about = About(policy=name, markets=given.markets, usual=usual, spend=given.spend, goal=given.goal)
    return BiddingModel(about, policy)
