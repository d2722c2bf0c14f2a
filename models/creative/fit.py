"""Trains the creative model in two passes.

The tuning pass learns from `train` alone; its answers on `valid`, a later time, give the number of trees, the weights
of the members and how far predictions are off. The final pass learns from both. Finished parts are kept in the
checkpoint folder, so that a killed run resumes with the next.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from models.creative import copy as copies
from models.creative import network, trees
from models.creative.checkpoint import FittedParts
from models.creative.copy import CopyModel, TextVectors
from models.creative.design import NOT_ENCODED, CreativeDesign, CreativeInputs
from models.creative.examples import ENTITY, LABEL
from models.creative.levels import HistoryPrior, Levels
from models.creative.members import Members
from models.creative.model import CreativeModel
from models.creative.outputs import CPC, CTR, FEWEST, OUTPUTS, Array, Output
from models.creative.params import CreativeParams
from models.creative.precision import WITHIN, Precision, Spread, by_creative, within_campaigns
from models.creative.stack import MemberWeights
from models.tabular import Encoder, feature_columns


@dataclass(frozen=True)
class CreativePass:
    """The inputs and members of one pass."""

    inputs: CreativeInputs
    members: Members


def fit(train: pd.DataFrame, valid: pd.DataFrame, params: CreativeParams, checkpoint: Path) -> CreativeModel:
    """A model of all outputs that the examples tell. Raises `ValueError` with fewer than `FEWEST` clicks."""
    kept = FittedParts.of(checkpoint, train, valid, params)
    outputs = told(train, valid)
    features = [name for name in feature_columns(train, ENTITY, LABEL) if name not in NOT_ENCODED]
    encoder = Encoder.fit(train[features])
    vectors = TextVectors.fit(*copies.texts_of(pd.concat([train, valid])), params.components)

    first = _pass(encoder, vectors, outputs, train, params, kept, "tuning", valid)
    later = first.inputs.design(first.inputs.rows(valid))
    corrections = first.members.corrections(later, outputs)
    stacks, linked = {}, {}
    for one in outputs:
        at = one.told(valid)
        start, corrected = later.start[one.name], corrections[one.name]
        stacks[one.name] = MemberWeights.fit(
            one, start[at], corrected[at], *(counted[at] for counted in one.counts(valid))
        )
        linked[one.name] = stacks[one.name].linked(start, corrected)
    precisions, spread = _precisions(outputs, valid, linked, later), _spread(outputs, valid, linked)

    both = pd.concat([train, valid], ignore_index=True)
    final = _pass(encoder, vectors, outputs, both, params, kept, "final", first)
    if CPC.name in stacks:
        stacks[CPC.name] = replace(stacks[CPC.name], shift=_without_click(both))
    return CreativeModel(final.inputs, final.members, stacks, precisions, spread, params.coverage)


def _without_click(frame: pd.DataFrame) -> float:
    """Logarithm of all that was paid over what was paid in examples with clicks."""
    paid, _ = CPC.counts(frame[CPC.told(frame)])
    return float(np.log(max(frame["spend"].sum() / paid.sum(), 1.0)))


def told(train: pd.DataFrame, valid: pd.DataFrame) -> tuple[Output, ...]:
    """The outputs with enough events in both frames. Raises `ValueError` where clicks are not among them."""
    found = tuple(one for one in OUTPUTS if min(_events(one, train), _events(one, valid)) >= FEWEST)
    if CTR not in found:
        raise ValueError(f"clicks: expected at least {FEWEST} to train on and {FEWEST} to tune on, got fewer")
    return found


def _events(output: Output, frame: pd.DataFrame) -> float:
    events, trials = output.counts(frame[output.told(frame)])
    return float(events.sum() if output.rate else trials.sum())


def _pass(
    encoder: Encoder,
    vectors: TextVectors | None,
    outputs: tuple[Output, ...],
    frame: pd.DataFrame,
    params: CreativeParams,
    kept: FittedParts,
    stage: str,
    tuned: "pd.DataFrame | CreativePass",
) -> CreativePass:
    """Train on `frame`. `tuned` are examples that boosting is stopped by, or the pass that tells how many rounds."""
    copy, score = _copy(vectors, frame, params.seed)
    inputs = CreativeInputs(encoder, Levels.fit(frame, outputs), HistoryPrior.fit(frame, score), copy, outputs)
    design = inputs.design(inputs.rows(frame), score)
    later = None if isinstance(tuned, CreativePass) else (inputs.design(inputs.rows(tuned)), tuned)
    forests, boosters = {}, {}
    for one in outputs:
        rounds = tuned.members.boosters[one.name].num_trees() if isinstance(tuned, CreativePass) else params.rounds
        forest = partial(trees.forest, one, design, frame, params)
        boosting = partial(trees.boosting, one, design, frame, params, later, max(rounds, 1))
        forests[one.name] = kept.booster(f"{stage}-{one.name}-forest", forest)
        boosters[one.name] = kept.booster(f"{stage}-{one.name}-boosting", boosting)
    learnt = kept.network(f"{stage}-network", partial(network.fit, outputs, design, frame, params))
    return CreativePass(inputs, Members(outputs, forests, boosters, learnt))


def _copy(vectors: TextVectors | None, frame: pd.DataFrame, seed: int) -> tuple[CopyModel | None, Array]:
    """The worth of texts, and that of each example's text told without its creative; none where they are few."""
    score = np.zeros(len(frame))
    if vectors is None:
        return None, score
    rows = copies.compared(frame)
    rows = rows[rows["headline"].notna() | rows["body"].notna()].reset_index(drop=True)
    if rows["creative_id"].nunique() < 2 * copies.FOLDS:
        return None, score
    model, held_out = CopyModel.fit(vectors, rows, seed)
    keys = ["creative_id", "event_timestamp", "campaign_id", "audience"]
    found = frame[keys].merge(rows[keys].assign(score=held_out), on=keys, how="left")["score"]
    own = model.score(vectors.of(*copies.texts_of(frame)), frame["audience"].tolist())
    return model, np.where(found.isna(), own, found.to_numpy())


def _precisions(
    outputs: tuple[Output, ...], frame: pd.DataFrame, linked: dict[str, Array], design: CreativeDesign
) -> dict[str, Precision]:
    """How far the rates on `frame` are off, by output, and `WITHIN` those of clicks beside others of the campaign."""
    found = {}
    for one in (one for one in outputs if one.rate):
        by = by_creative(one, frame, linked[one.name], design.exposures[one.name])
        counts = [by[name].to_numpy() for name in ("exposure", "events", "trials")]
        found[one.name] = Precision.fit(by["rate"].to_numpy(), *counts)
        if one is CTR:
            found[WITHIN] = Precision.fit(within_campaigns(by), *counts)
    return found


def _spread(outputs: tuple[Output, ...], frame: pd.DataFrame, linked: dict[str, Array]) -> Spread | None:
    """How far prices on `frame` are off; None without any."""
    if CPC not in outputs:
        return None
    by = by_creative(CPC, frame, linked[CPC.name], np.zeros(len(frame)))
    return Spread.fit(by["rate"].to_numpy(), by["events"].to_numpy(), by["trials"].to_numpy())
