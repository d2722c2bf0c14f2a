"""The decision engine: one pure function from what is asked and known to what is done, and why."""

from dataclasses import replace
from math import floor

from serving.decisions.case import Case, Draft, digest, number
from serving.decisions.kinds import bid, campaign, retention
from serving.decisions.params import Decisions
from serving.decisions.records import MICRO, Action, Decision, GuardrailEffect, Opportunity, Predictions, State
from serving.decisions.rules import guardrails


def decide(opportunity: Opportunity, predictions: Predictions, state: State, params: Decisions, seed: int) -> Decision:
    """What to do. The same arguments give the same decision, to the last bit, also after a round trip through JSON.

    Never raises for what a caller or a model may say: numbers that are missing, not finite, negative or huge lead to a
    conservative bid or to none. A bid is only to be answered once its amount was reserved.
    """
    case = Case(opportunity, predictions, state, params, seed)
    draft, touches = guardrails.apply(_propose(case), case)
    return Decision(
        decision_id=digest(opportunity, seed, "decision").hex(),
        opportunity_id=opportunity.opportunity_id,
        account_id=opportunity.account_id,
        campaign_id=opportunity.campaign_id,
        action=draft.action,
        target=draft.target,
        source=draft.source,
        dimension=draft.dimension,
        amount=_payable(draft),
        unit=draft.unit,
        before=draft.before,
        reason=draft.reason,
        triggers=draft.triggers,
        guardrails=touches,
        arm=draft.arm,
        propensity=draft.propensity,
        explored=draft.explored,
        versions=predictions.versions,
        seed=seed,
        decided_at=number(opportunity.occurred_at) or 0.0,
    )


def _payable(draft: Draft) -> float | None:
    """Money in whole millionths, as stores keep it: what is asked again is the same, and never more than was left."""
    if draft.amount is None or draft.unit != bid.UNIT:
        return draft.amount
    return floor(round(draft.amount * MICRO, 3)) / MICRO


def withheld(decision: Decision, why: str) -> Decision:
    """A bid whose amount could not be reserved: it is not placed."""
    touch = GuardrailEffect("reservation", decision.amount, None, why)
    reason = f"no bid: {why}"
    touched = (*decision.guardrails, touch)
    return replace(decision, action=Action.HOLD, amount=None, unit=None, reason=reason, guardrails=touched)


def repeated(decision: Decision, amount: float) -> Decision:
    """A bid or offer that was asked for before: it is what was reserved then, though the state has moved on."""
    if decision.amount == amount:
        return decision
    touch = GuardrailEffect("reservation", decision.amount, amount, "asked before: it is what was reserved then")
    return replace(decision, amount=amount, guardrails=(*decision.guardrails, touch))


def _propose(case: Case) -> Draft:
    if case.opportunity.asked == "bid":
        return bid.propose(case)
    if case.opportunity.asked == "customer":
        return retention.propose(case)
    return campaign.propose(case)
