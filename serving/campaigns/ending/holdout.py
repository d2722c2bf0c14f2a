"""Who is held out of a campaign, as it was when it was launched."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.settings import Settings
from serving.campaigns.audiences import customers
from serving.campaigns.plan import CampaignPlan

HELD_OUT, REACHED = "holdout", "reached"


def file(settings: Settings, name: str) -> Path:
    return settings.home / "campaigns" / "holdouts" / f"{name}.parquet"


def keep(settings: Settings, plan: CampaignPlan, at: float) -> int:
    """Add the customers of the plan's segments with their arms; returns how many there are. Arms never change."""
    if not plan.segments or plan.holdout == 0:
        return 0
    there, place = list[pd.DataFrame](), file(settings, plan.name)
    if place.exists():
        there.append(pd.read_parquet(place))
    for segment in plan.segments:
        people = customers(plan, segment)
        arms = people["held_out"].map({True: HELD_OUT, False: REACHED})
        moment = pd.Timestamp(datetime.fromtimestamp(at, UTC)).tz_localize(None)
        there.append(pd.DataFrame({"customer_id": people["customer_id"], "arm": arms, "occurred_at": moment}))
    kept = pd.concat(there).drop_duplicates("customer_id")
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = place.with_name(f".{place.name}")
    kept.to_parquet(aside, index=False)
    aside.replace(place)
    return len(kept)
