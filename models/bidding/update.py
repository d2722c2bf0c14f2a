"""Incremental training: a new version of the champion's policy from newly logged auctions."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from models.bidding.fit import SavablePolicy, TrainingData
from models.bidding.model import BiddingModel
from models.bidding.params import BiddingParams
from models.bidding.policies.constant import Constant
from models.bidding.policies.dqn import Dqn
from models.bidding.policies.linear import Linear
from models.bidding.policies.mcpc import Mcpc
from models.bidding.policies.ortb import Ortb
from models.bidding.policies.pacing import Pacing
from models.bidding.policies.pid import Pid
from models.bidding.policies.rlb import Rlb
from models.bidding.training import made, training_data


def _linear(given: TrainingData, before: Linear | Pid) -> Linear:
    return Linear.fit(given.episodes, given.markets, given.ratios, before.factor)


#: Incremental fit by policy: networks start from their weights, tuned factors from their values. Policies derived from
#: markets alone are refitted; markets start from the earlier ones.
UPDATES: Mapping[str, Callable[[TrainingData, Any], SavablePolicy]] = {
    "mcpc": lambda given, before: Mcpc(targets={**before.targets, **Mcpc.fit(given.episodes).targets}),
    "constant": lambda given, before: Constant.fit(given.episodes, given.markets, given.ratios, before.amount),
    "linear": _linear,
    "ortb": lambda given, before: Ortb.fit(given.episodes, given.markets, given.ratios, before),
    "pid": lambda given, before: Pid.fit(given.episodes, given.markets, given.ratios, _linear(given, before)),
    "rlb": lambda given, before: Rlb.fit(given.episodes, given.markets, calibrated=False, before=before),
    "rlb_calibrated": lambda given, before: Rlb.fit(given.episodes, given.markets, calibrated=True, before=before),
    "pacing": lambda given, _: Pacing.fit(given.markets),
    "dqn": lambda given, before: Dqn.fit(given.episodes, given.markets, given.study, before),
}


def update(
    champion: BiddingModel, train: pd.DataFrame, valid: pd.DataFrame, params: BiddingParams, checkpoint: Path
) -> BiddingModel:
    """The champion's policy, updated with `train` and `valid`.

    Campaigns without new auctions are unchanged. An interrupted fit resumes from `checkpoint`.
    """
    about = champion.about
    given = training_data(train, valid, params, checkpoint, about.markets)
    return made(about.policy, UPDATES[about.policy](given, champion.policy), given, train, about.usual)
