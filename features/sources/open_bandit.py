"""Open Bandit: a retailer's fashion recommendations, logged with propensities (Saito et al., 2020).

Two policies ran in the same week on different visitors: uniform random and Bernoulli Thompson sampling. The package
`obp` contains 10,000 recommendations per policy and campaign; its files are read, the package is never imported.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pandas as pd

Behaviour = Literal["random", "bts"]
Campaign = Literal["all", "men", "women"]
PACKAGE = "obp"


def file(behaviour: Behaviour, campaign: Campaign) -> Path:
    """Path of a policy's log in a campaign. Raises `FileNotFoundError` where the package is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"Open Bandit needs the package {PACKAGE}, which carries its data")
    return Path(spec.submodule_search_locations[0]) / "dataset" / "obd" / behaviour / campaign / f"{campaign}.csv"


def read(behaviour: Behaviour, campaign: Campaign) -> pd.DataFrame:
    """The logged recommendations, in order.

    Columns: `occurred_at` (UTC), `item_id`, `position` (1 to 3, from the left), `reward` (1 if clicked), `propensity`
    (probability of showing that item in that position), and the visitor's `user_feature_0` to `3`.
    """
    names = {"timestamp": "occurred_at", "click": "reward", "propensity_score": "propensity"}
    kept = [*names, "item_id", "position", *(f"user_feature_{at}" for at in range(4))]
    frame = pd.read_csv(file(behaviour, campaign), usecols=kept).rename(columns=names)
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], utc=True, format="ISO8601")
    return frame
