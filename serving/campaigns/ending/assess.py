"""What a campaign added: what customers bought who could see it, beyond what those bought who could not."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.campaign_history import history
from features.holdout_outcomes import outcomes
from features.tables import Tables, content_hash
from models.evaluation.attribution.holdout import holdout_lift


@dataclass(frozen=True)
class CampaignAssessment:
    """Figures of a campaign with 95% intervals (Welch). None where nothing tells.

    Attributes:
        said: the conclusion, or why there is none.
        added: value added in all, and `per_customer`, each as (value, low, high).
        reached, held_out: customers of each arm.
        spend, conversions: as the platforms count them.
        return_on_spend: added value for each unit of money spent, as (value, low, high).
        data: hash of the tables.
    """

    said: str
    since: str
    until: str
    data: str
    spend: float | None = None
    conversions: float | None = None
    reached: int = 0
    held_out: int = 0
    per_customer: tuple[float, float, float] | None = None
    added: tuple[float, float, float] | None = None
    return_on_spend: tuple[float, float, float] | None = None


def assess(tables: Tables, arms: Path, campaigns: set[str], since: datetime, until: datetime) -> CampaignAssessment:
    """Assess a campaign.

    Args:
        arms: customers and their arms, as they were kept at the launch.
        campaigns: its ids at platforms.
    """
    span = since.isoformat(), until.isoformat(), content_hash(tables.folder)
    spend, conversions = _counted(tables, campaigns, since, until)
    if not arms.exists():
        said = "nobody was held out of it, so that nobody can tell what would have been bought anyway"
        return CampaignAssessment(said, *span, spend, conversions)
    try:
        lift = holdout_lift(outcomes(tables, arms, since, until))
    except (LookupError, ValueError) as missing:
        return CampaignAssessment(f"cannot be told: {missing}", *span, spend, conversions)
    each, added = lift.value, lift.over(lift.reached)
    whole = added.value, added.low, added.high
    returned = (whole[0] / spend, whole[1] / spend, whole[2] / spend) if spend else None
    return CampaignAssessment(
        *(_said(whole, spend), *span, spend, conversions, lift.reached, lift.held_out),
        *((each.value, each.low, each.high), whole, returned),
    )


def _said(added: tuple[float, float, float], spend: float | None) -> str:
    value, low, high = added
    told = f"it added {value:,.2f} [{low:,.2f}, {high:,.2f}] beyond what would have been bought anyway"
    if low <= 0 <= high:
        return f"no effect is shown: {told}"
    if high < 0:
        return f"it did harm: {told}"
    if not spend:
        return told
    if low > spend:
        return f"it paid off: {told}, for {spend:,.2f} spent"
    return f"it {'did not pay off' if high < spend else 'may have paid off'}: {told}, for {spend:,.2f} spent"


def _counted(
    tables: Tables, campaigns: set[str], since: datetime, until: datetime
) -> tuple[float | None, float | None]:
    """Spend and conversions as the platforms count them."""
    try:
        daily = history(tables, "day", since.date().isoformat())
    except LookupError:
        return None, None
    days = pd.to_datetime(daily["day"])
    mine = daily[daily["campaign_id"].isin(campaigns) & (days < pd.Timestamp(until).tz_localize(None))]
    return (float(mine["spend"].sum()), float(mine["conversions"].sum())) if len(mine) else (None, None)
