"""Rotation: which creatives are worn out, by what came of the decisions that showed them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.lake import Place
from serving.decisions.outcomes import joined
from serving.decisions.params import Creatives
from serving.decisions.records import Action
from serving.decisions.rules.fatigue import Daily, Fatigue, fatigue
from serving.decisions.state.book import DAY
from serving.decisions.state.store import CampaignSettings, Store

#: Days that are looked at.
DAYS = 60
_CAMPAIGN = ["account_id", "campaign_id"]


@dataclass(frozen=True)
class Rotation:
    """A creative of a campaign, and whether it is worn out.

    Attributes:
        reason: why it should rest; empty for one that should not.
    """

    account_id: str
    campaign_id: str
    creative_id: str
    impressions: int
    clicks: int
    state: Fatigue
    reason: str


def rotations(root: Place, params: Creatives, now: float) -> list[Rotation]:
    """All creatives that decisions showed in the last `DAYS` days, by campaign.

    Args:
        root: folder of the records of decisions.
        now: Unix seconds.

    Raises `FileNotFoundError` where nothing is logged.
    """
    made = joined(root, now - DAYS * DAY)
    shown = made[made["action"].eq(Action.SHOW_CREATIVE) & made["impression"].eq(1)]
    return [
        one for (account, campaign), frame in shown.groupby(_CAMPAIGN) for one in _of(account, campaign, frame, params)
    ]


def rest(store: Store, worn: Sequence[Rotation]) -> None:
    """Stop showing these creatives, each with its reason, until somebody says otherwise."""
    for one in worn:
        store.configure(one.account_id, one.campaign_id, CampaignSettings(resting={one.creative_id: one.reason}))


def _of(account: Any, campaign: Any, shown: pd.DataFrame, params: Creatives) -> Iterator[Rotation]:
    names, daily = by_day(shown)
    for place, (name, state) in enumerate(zip(names, fatigue(daily), strict=True)):
        impressions, clicks = (int(values[:, place].sum()) for values in (daily.impressions, daily.clicks))
        yield Rotation(account, campaign, name, impressions, clicks, state, _reason(state, params))


def by_day(shown: pd.DataFrame) -> tuple[list[str], Daily]:
    """Creatives and their outcomes by day (UTC), from the first to the last day with any.

    Args:
        shown: decisions that were seen, with `target`, `decided_at`, `click` and `customer_id`.
    """
    day = (shown["decided_at"] // DAY).astype("int64")
    sums = (
        shown.assign(day=day)
        .groupby(["day", "target"])
        .agg(impressions=("click", "size"), clicks=("click", "sum"), people=("customer_id", "nunique"))
    )
    whole = range(int(day.min()), int(day.max()) + 1)
    impressions, clicks, people = (
        sums[column].unstack("target", fill_value=0).reindex(whole, fill_value=0) for column in sums
    )
    often = impressions.to_numpy(float) / people.where(people > 0).to_numpy(float)
    return list(impressions.columns), Daily(impressions.to_numpy(float), clicks.to_numpy(float), often)


def _reason(state: Fatigue, params: Creatives) -> str:
    if state.evidence < params.fatigue_days or state.drop < params.fatigue_drop:
        return ""
    told = f"its click rate fell by {state.drop:.0%} in {state.since} days, beyond that of the other creatives"
    if state.by_frequency is not None and np.isfinite(state.by_frequency) and state.by_frequency > 0:
        told += f"; {state.by_frequency:.0%} of it goes along with people seeing it more often"
    return told
