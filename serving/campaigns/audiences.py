"""Audiences of a campaign from scores: hashed members, without those who are held out for its assessment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from features.segments import ScoredSegment, members
from serving.campaigns.plan import CampaignPlan, CustomerSegment

if TYPE_CHECKING:
    import pandas as pd


def of_plan(plan: CampaignPlan) -> dict[str, Sequence[str] | str]:
    """Hashes of the members of each segment; the fault where they cannot be read."""
    found = dict[str, Sequence[str] | str]()
    for segment in plan.segments:
        try:
            people = customers(plan, segment)
        except (ValueError, OSError) as fault:
            found[segment.name] = str(fault)
        else:
            found[segment.name] = people.loc[~people["held_out"], "email"].drop_duplicates().tolist()
    return found


def readable(found: Mapping[str, Sequence[str] | str]) -> dict[str, Sequence[str]]:
    """The members by segment; none of those that could not be read, which the check of audiences tells."""
    return {name: () if isinstance(some, str) else some for name, some in found.items()}


def customers(plan: CampaignPlan, segment: CustomerSegment) -> "pd.DataFrame":
    """The customers of a segment, with the arm of each: see `features.segments.members`.

    The hash of a customer's id and the campaign's name says who is held out, in every segment and version alike.
    """
    return members(
        ScoredSegment(
            *(Path(segment.scores), Path(segment.contacts), segment.column),
            *(segment.top, segment.above, segment.below, plan.name, plan.holdout),
        )
    )
