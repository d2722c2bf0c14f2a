"""What a challenger would have brought where the champion decided: from the log's bids that chance varied.

Chance bid the policy's own bid, or a step above or below it, with known propensity. The challenger is taken to bid the
one of the three that is nearest to its own bid; where it is further off than half a step beyond, the log does not tell.
Each auction is judged by itself, in the state that it met: a challenger's own pace is for the replay and the canary.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from features.records import LOG
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
from serving.records import reading

#: Entries that the models are asked about in one go.
BATCH = 1000


def judge(
    gate: LogGate, place: Path, version: str, challenger: Bundle, champion: Bundle, features: Features, seed: int
) -> Verdict:
    """Apply a gate to the rounds that the champion decided, with what both would have chosen in them.

    Args:
        place: the folder with the endpoint's `log` and what came of it.
        version: the champion's.

    Raises:
        LookupError: where no decision of that version is logged there, or nothing that came of any.
    """
    log = _rounds(place, version, goal=str(champion.manifest.params["goal"]))
    turns = _turns(place / "log", log.index, Both(challenger, champion), features)
    log = log.loc[turns.index].assign(propensity=lambda rows: rows["propensity"] / turns["policy_share"])
    asked = {
        "challenger": pd.DataFrame({"probability": (turns["taken"] == turns["wanted"]).astype(float)}),
        "champion": pd.DataFrame({"probability": (turns["taken"] == 0).astype(float)}),
    }
    return gate(log, asked["challenger"], asked["champion"], seed)


class Both:
    """Both models, asked as the endpoint asks them: features as they are now shift both alike."""

    def __init__(self, challenger: Bundle, champion: Bundle) -> None:
        self._predictors = [
            Predictors(bid.KIND, {bid.FAMILY: BundlePredictor(one, "")}) for one in (challenger, champion)
        ]

    def ratios(self, entries: Sequence[Entry], features: Features) -> Any:
        """The challenger's bid as a multiple of the champion's, of (entries,); NaN where one of them bids nothing."""
        opportunities, states = [one.opportunity for one in entries], [one.state for one in entries]
        said = [predictors.predict(opportunities, states, features) for predictors in self._predictors]
        ours, theirs = (np.array([one.answers.get("policy_bid") or np.nan for one in each]) for each in said)
        return ours / theirs


def _rounds(place: Path, version: str, goal: str) -> pd.DataFrame:
    """The rounds in which the champion's policy bid, by decision: `reward` and `propensity`.

    The reward is what came of it less what it cost, at the rate at which the champion bought: money that is not spent
    here buys as much elsewhere.
    """
    if not (place / LOG).is_dir():
        raise LookupError(f"nothing is logged in {place}")
    made = outcomes.joined(place)
    ours = [dict(one or ()).get(bid.FAMILY) == version for one in made["versions"]]
    made = made[(made["asked"] == "bid") & (made["arm"] == "policy") & np.array(ours, dtype=bool)]
    cost, value = made["cost"], made["click" if goal == "clicks" else "value"].astype(float)
    if not cost.sum() > 0:
        raise LookupError(f"nothing came of decisions by version {version} in {place}")
    reward = value - cost * (value.sum() / cost.sum())
    return made.assign(reward=reward).set_index("decision_id")[["reward", "propensity"]]


def _turns(log: Path, known: "pd.Index[str]", models: Both, features: Features) -> pd.DataFrame:
    """By decision the step that was `taken` (-1, 0 or 1) and the one `wanted`, and `policy_share`: the chance that the
    policy and not the holdout's baseline bid."""
    params = cache(lambda name: stored.read(log, name))
    found = []
    entries = _first(map(read, reading.records(log)), set(known))
    while batch := list(islice(entries, BATCH)):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.log(models.ratios(batch, features))
        for one, ratio in zip(batch, ratios, strict=True):
            said = params(one.params)
            case = Case(cast(Auction, one.opportunity), one.predictions, one.state, said, one.decision.seed)
            taken = (1 if bid.raised(case) else -1) if one.decision.explored else 0
            wanted = np.rint(ratio / np.log1p(said.exploration.spread))
            found.append((one.decision.decision_id, taken, wanted, 1 - said.exploration.holdout))
    columns = ["decision_id", "taken", "wanted", "policy_share"]
    return pd.DataFrame(found, columns=columns).set_index("decision_id")


def _first(entries: Iterator[Entry], known: set[str]) -> Iterator[Entry]:
    """Each decision once: asked again it is what it was."""
    for one in entries:
        if one.decision.decision_id in known:
            known.remove(one.decision.decision_id)
            yield one
