"""Off-policy evaluation of a challenger on the champion's logged choices of creatives.

Every choice was random with a known propensity, so the log tells what any other policy over the same candidates would
have brought. The challenger predicts from the features that the online store has now; what had come of each creative by
then is in the logged state.
"""

from functools import cache
from itertools import islice
from typing import cast

import numpy as np
import pandas as pd

from features.lake import Place
from features.records import LOG
from features.store import Online
from models.bundle import Bundle
from models.evaluation.gates import Verdict
from models.evaluation.policy_value import LogGate
from serving.decisions import outcomes
from serving.decisions.case import Case
from serving.decisions.kinds import creative
from serving.decisions.kinds.creative import Placement
from serving.decisions.log import params as stored
from serving.decisions.log.entry import read
from serving.decisions.predict.features import Features
from serving.decisions.predict.predictor import BundlePredictor
from serving.decisions.predict.predictors import Predictors
from serving.decisions.records import Action
from serving.experiments.challenge import once
from serving.records import reading

#: Entries per prediction.
BATCH = 200


def judge(
    gate: LogGate, place: Place, version: str, challenger: Bundle, champion: Bundle, online: Online, seed: int
) -> Verdict:
    """Apply a gate to the logged choices of the champion; as `challenge.judge`."""
    if not (place / LOG).is_dir():
        raise LookupError(f"nothing is logged in {place}")
    seen = _seen(place, version)
    if seen.empty:
        raise LookupError(f"choices of version {version} in {place} have no outcomes yet")
    shares = _shares(place / LOG, seen.index, Predictors(creative.KIND, _alone(challenger)), Features(online))
    log = seen.loc[shares.index]
    log = log.assign(reward=np.where(shares["goal"] == "clicks", log["click"], log["conversions"]).astype(float))
    ours, theirs = (pd.DataFrame({"probability": one}) for one in (shares["probability"], log["propensity"]))
    return gate(log[["reward", "propensity"]], ours, theirs, seed)


def _alone(bundle: Bundle) -> dict[str, BundlePredictor]:
    return {creative.FAMILY: BundlePredictor(bundle, "")}


def _seen(place: Place, version: str) -> pd.DataFrame:
    """Choices of the champion that were seen, by decision id."""
    made = outcomes.joined(place)
    ours = [dict(one or ()).get(creative.FAMILY) == version for one in made["versions"]]
    drawn = made["action"].eq(Action.SHOW_CREATIVE) & made["arm"].isin(["policy", "baseline"])
    return made[drawn & made["impression"].eq(1) & np.array(ours, dtype=bool)].set_index("decision_id")


def _shares(log: Place, known: "pd.Index[str]", predictors: Predictors, features: Features) -> pd.DataFrame:
    """By decision id: the challenger's probability of what was chosen, and the goal."""
    params = cache(lambda name: stored.read(log, name))
    entries, found = once(map(read, reading.records(log)), set(known)), []
    while batch := list(islice(entries, BATCH)):
        said = predictors.predict([one.opportunity for one in batch], [one.state for one in batch], features)
        for one, predictions in zip(batch, said, strict=True):
            asked, decided_by = cast(Placement, one.opportunity), params(one.params)
            shares = creative.propensities(Case(asked, predictions, one.state, decided_by, one.decision.seed))
            found.append((one.decision.decision_id, shares.get(one.decision.target, 0.0), decided_by.creatives.goal))
    columns = ["decision_id", "probability", "goal"]
    return pd.DataFrame(found, columns=columns).set_index("decision_id")
