"""A kind of decision that adloop does not have: which of two creatives to show, by Thompson sampling.

It is what a new module of `serving/decisions/kinds` would be. Its counters are the evidence of its arms in the state
store, and it needs an answer that a family calls `value`, as another family calls its own.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from serving.decisions.case import Case, Draft
from serving.decisions.fields import Amount, Name
from serving.decisions.kinds.kind import Kind, Need
from serving.decisions.records import UNIT, Action, Opportunity, Trigger
from serving.decisions.rules import guardrails

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Placement(Opportunity):
    """A place on a page, what showing something there costs, and who looks at it."""

    paced_by: ClassVar[Literal["campaign_id"]] = "campaign_id"

    visitor_id: Name = field(kw_only=True)
    creatives: Annotated[list[Name], Field(min_length=2, max_length=2, strict=True)] = field(kw_only=True)
    price: Amount | None = None
    asked: Literal["placement"] = "placement"


def thompson(case: Case[Placement]) -> Draft:
    """The creative whose click rate, drawn from what is known of it, is higher; its propensity is how often it is."""
    arms = [case.state.outcome(name) for name in case.opportunity.creatives]
    rng = np.random.default_rng(int(case.uniform("rates") * 2**53))
    draws = np.array([rng.beta(1 + arm.clicks, 1 + max(0, arm.impressions - arm.clicks), DRAWS) for arm in arms])
    first = np.mean(draws[0] > draws[1])
    shares = np.clip([first, 1 - first], 1 / DRAWS, 1 - 1 / DRAWS)
    taken = int(case.uniform("arm") >= shares[0])
    score = Trigger("score", case.answer("score") or 0.0, 0.0, None)
    return Draft(
        Action.ROTATE_CREATIVE,
        case.opportunity.creatives[taken],
        f"drawn for {shares[taken]:.0%} of the visitors",
        case.opportunity.price,
        None if case.opportunity.price is None else UNIT,
        dimension="creative",
        triggers=(score,),
        propensity=float(shares[taken]),
    )


def dearest(draft: Draft, case: Case[Any]) -> guardrails.Changed:
    """Nothing that is above the largest bid is paid for a place."""
    if draft.amount is None or draft.amount <= case.params.bids.most:
        return None
    return draft.held("too dear"), "too dear"


KIND = Kind(
    name="placement",
    request=Placement,
    example={
        "opportunity_id": "page-1",
        "occurred_at": 1767225600.0,
        "account_id": "acme",
        "campaign_id": "spring",
        "asked": "placement",
        "visitor_id": "c00003",
        "creatives": ["red", "blue"],
    },
    needs={"score": Need("scores", "value", "visitor_id")},
    policy=thompson,
    guardrails=(
        ("fallback", guardrails.fallback),
        ("dearest", dearest),
        ("campaign_limit", guardrails.campaign_limit),
        ("kill_switch", guardrails.kill_switch),
    ),
    paid={Action.ROTATE_CREATIVE: "offer"},
    learnt_from="scores",
    known=frozenset({"visitor_id"}),
    credited=lambda draft: None if draft.action is Action.HOLD else draft.target,
)
