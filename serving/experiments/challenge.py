"""Off-policy evaluation of a challenger on the champion's decision log, from randomized bids.

The log has the policy's own bid, or a step above or below it, with known propensity. The challenger is assigned the
nearest of these three bids; beyond half a step outside them, the log says nothing. Each auction is evaluated in its
logged state; the replay and the canary evaluate the challenger's own pacing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, cast

import numpy as np
import pandas as pd

from features.lake import Place
from features.packed.reader import SnapshotReader, Vectors
from features.records import LOG
from features.store import Online
from models.bundle import Bundle
from models.evaluation.gates import Verdict
from models.evaluation.policy_value import LogGate
from serving.decisions import outcomes
from serving.decisions.case import Case
from serving.decisions.kinds import bid
from serving.decisions.kinds.bid import Auction
from serving.decisions.log import params as stored
from serving.decisions.log.entry import Entry, read
from serving.decisions.predict.features import Features
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.predict.predictors import Predictors
from serving.decisions.records import Predictions
from serving.records import reading

#: Entries per prediction.
BATCH = 1000


def judge(
    gate: LogGate, place: Place, version: str, challenger: Bundle, champion: Bundle, online: Online, seed: int
) -> Verdict:
    """Apply a gate to the logged rounds of the champion.

    Args:
        gate: the family's `log_gate`.
        place: folder of the endpoint with its `log` and outcomes.
        version: version of the champion.
        online: store for features that the champion did not read, so that the log lacks them.

    Raises:
        LookupError: no decision of that version is logged, or none has outcomes.
    """
    log = _rounds(place, version, goal=str(champion.manifest.params["goal"]))
    turns = _turns(place / "log", log.index, Challenger(challenger, champion, online))
    log = log.loc[turns.index].assign(propensity=lambda rows: rows["propensity"] / turns["policy_share"])
    policies = {
        "challenger": pd.DataFrame({"probability": (turns["taken"] == turns["wanted"]).astype(float)}),
        "champion": pd.DataFrame({"probability": (turns["taken"] == 0).astype(float)}),
    }
    return gate(log, policies["challenger"], policies["champion"], seed)


class Challenger:
    """The challenger, which predicts from the features recorded with the decisions."""

    def __init__(self, challenger: Bundle, champion: Bundle, online: Online) -> None:
        self._predictors = Predictors(bid.KIND, {bid.FAMILY: BundlePredictor(challenger, "")})
        self._features = UnrecordedFeatures(online, BundlePredictor(champion, "").columns)

    def ratios(self, entries: Sequence[Entry]) -> Any:
        """Challenger's bid divided by the champion's, of (entries,); NaN where one of them does not bid."""
        opportunities = [
            replace(one.opportunity, features={**one.opportunity.features, **one.predictions.features})
            for one in entries
        ]
        predictions = self._predictors.predict(opportunities, [one.state for one in entries], self._features)
        ours, theirs = (_bids(each) for each in (predictions, [one.predictions for one in entries]))
        return ours / theirs


def _bids(predictions: Sequence[Predictions]) -> Any:
    return np.array([one.answers.get("policy_bid") or np.nan for one in predictions])


class UnrecordedFeatures(Features):
    """The online store for columns that are not recorded; a recorded column that is missing was missing then."""

    def __init__(self, online: Online, recorded: Collection[str]) -> None:
        super().__init__(online)
        self._recorded = recorded

    def read(self, service: str, entities: Sequence[str]) -> tuple[SnapshotReader, Vectors]:
        reader, found = super().read(service, entities)
        numbers = np.where([name in self._recorded for name in reader.columns], np.nan, found.numbers)
        texts = {name: values for name, values in found.texts.items() if name not in self._recorded}
        return reader, Vectors(numbers, texts, found.known)


def _rounds(place: Place, version: str, goal: str) -> pd.DataFrame:
    """Rounds in which the champion's policy bid, by decision id: `reward` and `propensity`.

    The reward is value minus cost, with cost converted at the champion's value per spend, as unspent money buys as much
    elsewhere.
    """
    if not (place / LOG).is_dir():
        raise LookupError(f"nothing is logged in {place}")
    made = outcomes.joined(place)
    ours = [dict(one or ()).get(bid.FAMILY) == version for one in made["versions"]]
    made = made[(made["asked"] == "bid") & (made["arm"] == "policy") & np.array(ours, dtype=bool)]
    cost, value = made["cost"], made["click" if goal == "clicks" else "value"].astype(float)
    if not cost.sum() > 0:
        raise LookupError(f"decisions of version {version} in {place} have no outcomes yet")
    reward = value - cost * (value.sum() / cost.sum())
    return made.assign(reward=reward).set_index("decision_id")[["reward", "propensity"]]


def _turns(log: Place, known: "pd.Index[str]", challenger: Challenger) -> pd.DataFrame:
    """By decision id: the step `taken` (-1, 0 or 1), the step `wanted`, and `policy_share`, the probability that the
    policy and not the holdout's baseline bid."""
    params = cache(lambda name: stored.read(log, name))
    found = []
    entries = once(map(read, reading.records(log)), set(known))
    while batch := list(islice(entries, BATCH)):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.log(challenger.ratios(batch))
        for one, ratio in zip(batch, ratios, strict=True):
            decided_by = params(one.params)
            case = Case(cast(Auction, one.opportunity), one.predictions, one.state, decided_by, one.decision.seed)
            taken = (1 if bid.raised(case) else -1) if one.decision.explored else 0
            wanted = np.rint(ratio / np.log1p(decided_by.exploration.spread))
            found.append((one.decision.decision_id, taken, wanted, 1 - decided_by.exploration.holdout))
    columns = ["decision_id", "taken", "wanted", "policy_share"]
    return pd.DataFrame(found, columns=columns).set_index("decision_id")


def once(entries: Iterator[Entry], known: set[str]) -> Iterator[Entry]:
    """The entries of these decisions, each once, without repetitions."""
    for one in entries:
        if one.decision.decision_id in known:
            known.remove(one.decision.decision_id)
            yield one
