"""One decision from top to bottom: load the state, predict, decide, reserve the money, log.

`Pipeline` does this for batches of opportunities; `decide` is the decision itself, a pure function.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Protocol

from serving.decisions.case import Case, Draft, digest, number
from serving.decisions.kinds import kinds
from serving.decisions.kinds.kind import Kind
from serving.decisions.log.writer import DecisionLog
from serving.decisions.metrics import FAULTS, GROUP, decided, observe, stage
from serving.decisions.params import DecisionParams
from serving.decisions.predict.active_models import ActiveModels
from serving.decisions.predict.features import Features
from serving.decisions.predict.predictors import Predictors
from serving.decisions.records import MICRO, UNIT, Action, Decision, GuardrailEffect, Opportunity, Predictions, State
from serving.decisions.rules import guardrails
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.store import Grant, Reservation
from serving.records.writer import LogUnavailable

log = logging.getLogger("adloop.decisions")


class Models(Protocol):
    """Holds the serving models; replaced atomically."""

    @property
    def active(self) -> ActiveModels: ...


@dataclass(frozen=True)
class Pipeline:
    """Decides batches of opportunities; called from one thread at a time."""

    models: Models
    features: Features
    money: Allowance
    log: DecisionLog
    params: DecisionParams
    seed: int

    def decide(self, opportunities: Sequence[Opportunity]) -> list[Decision]:
        """Return a decision for each opportunity, in order. Failures lead to conservative decisions."""
        observe(GROUP, len(opportunities))
        decisions: dict[int, Decision] = {}
        for predictors, places in self.models.active.parts(opportunities, self.seed):
            made = self._decide([opportunities[place] for place in places], predictors)
            decisions.update(zip(places, made, strict=True))
        decided(decisions.values())
        return [decisions[place] for place in range(len(opportunities))]

    def _decide(self, opportunities: Sequence[Opportunity], predictors: Predictors) -> list[Decision]:
        """Decisions of one kind, by the same model versions."""
        with stage("load"):
            features = predictors.ask(opportunities, self.features)  # answered while the state is loaded
            states = self._load(opportunities, predictors.learning)
        with stage("predict"):
            predictions = predictors.predict(opportunities, states, features)
        with stage("decide"):
            made = [
                decide(one, said, state, self.params, self.seed)
                for one, said, state in zip(opportunities, predictions, states, strict=True)
            ]
        with stage("reserve"):
            grants = self._reserve(made, predictors.kind)
            self._expose(made, opportunities, predictors.kind, grants)
        with stage("log"):
            return [
                self._logged(*one, predictors.kind)
                for one in zip(opportunities, predictions, states, grants, made, strict=True)
            ]

    def _load(self, opportunities: Sequence[Opportunity], version: str) -> list[State]:
        states = self.money.load(opportunities, version)
        if not all(state.known for state in states):
            FAULTS["store"].inc()
        return states

    def _reserve(self, made: Sequence[Decision], kind: Kind) -> list[Grant | None]:
        """Reserve the money of decisions that cost some; None for the others."""
        asking = [place for place, one in enumerate(made) if one.action in kind.paid and one.amount is not None]
        grants: list[Grant | None] = [None] * len(made)
        if asking:
            given = self.money.reserve([_reservation(made[place], kind) for place in asking])
            for place, grant in zip(asking, given, strict=True):
                grants[place] = grant
        return grants

    def _expose(
        self, made: Sequence[Decision], opportunities: Sequence[Opportunity], kind: Kind, grants: list[Grant | None]
    ) -> None:
        """Count the exposures of decisions that show something, and add their grants."""
        if kind.exposed is None:
            return
        found = [kind.exposed(one, asked, self.params) for one, asked in zip(made, opportunities, strict=True)]
        asking = [(place, exposure) for place, exposure in enumerate(found) if exposure is not None]
        if asking:
            given = self.money.expose([exposure for _, exposure in asking])
            for (place, _), grant in zip(asking, given, strict=True):
                grants[place] = grant

    def _logged(
        self, asked: Opportunity, said: Predictions, state: State, grant: Grant | None, made: Decision, kind: Kind
    ) -> Decision:
        """Log the decision as it is answered. An unlogged decision is withheld and its money released."""
        decision = answered(made, grant)
        try:
            self.log.append(asked, said.chosen(decision.target), state, grant, decision)
        except LogUnavailable as full:
            FAULTS["log"].inc()
            log.warning("%s", full)
            if grant is not None and grant.status == "reserved":
                self.money.release(_reservation(made, kind))
            return withheld(decision, f"it cannot be logged: {full}")
        return decision


def decide(
    opportunity: Opportunity, predictions: Predictions, state: State, params: DecisionParams, seed: int
) -> Decision:
    """Decide one opportunity. Deterministic to the last bit, also after a round trip through JSON.

    Never raises for bad input: missing, infinite, negative or huge numbers of callers or models lead to a conservative
    action or to none. Answer a decision that costs money only after reserving it.
    """
    kind, case = kinds()[opportunity.asked], Case(opportunity, predictions, state, params, seed)
    draft, effects = guardrails.apply(kind.policy(case), case, kind.guardrails)
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
        guardrails=effects,
        arm=draft.arm,
        propensity=draft.propensity,
        explored=draft.explored,
        credited=kind.credited(draft),
        versions=predictions.versions,
        seed=seed,
        decided_at=number(opportunity.occurred_at) or 0.0,
        propensities=draft.propensities,
    )


def answered(decision: Decision, grant: Grant | None) -> Decision:
    """The decision after its reservation. Unchanged where no money was needed."""
    if grant is None or grant.status == "reserved":
        return decision
    if grant.status == "refused":
        return withheld(decision, grant.why)
    return shown_again(decision, grant.why) if grant.why else repeated(decision, grant.amount)


def withheld(decision: Decision, why: str) -> Decision:
    """The decision as `hold`, because its money could not be reserved or it could not be logged."""
    effect = GuardrailEffect("reservation", decision.amount, None, why)
    reason = f"no {'bid' if decision.action is Action.BID else 'action'}: {why}"
    effects = (*decision.guardrails, effect)
    return replace(decision, action=Action.HOLD, amount=None, unit=None, reason=reason, guardrails=effects)


def repeated(decision: Decision, amount: float) -> Decision:
    """A repeated decision: has the amount that was first reserved, even if the state has changed."""
    if decision.amount == amount:
        return decision
    effect = GuardrailEffect("reservation", decision.amount, amount, "repeated request: the amount reserved before")
    return replace(decision, amount=amount, guardrails=(*decision.guardrails, effect))


def shown_again(decision: Decision, creative_id: str) -> Decision:
    """A repeated decision: shows the creative that was shown first, even if the state has changed."""
    if decision.target == creative_id:
        return decision
    why = "repeated request: the creative shown before"
    share = decision.propensities.get(creative_id, decision.propensity)
    effects = (*decision.guardrails, GuardrailEffect("reservation", None, None, why))
    return replace(decision, target=creative_id, credited=creative_id, propensity=share, reason=why, guardrails=effects)


def _payable(draft: Draft) -> float | None:
    """Money rounded down to millionths, as stores keep it, so that repeated requests agree and limits hold."""
    if draft.amount is None or draft.unit != UNIT:
        return draft.amount
    return floor(round(draft.amount * MICRO, 3)) / MICRO


def _reservation(made: Decision, kind: Kind) -> Reservation:
    purpose = kind.paid[made.action]
    target = made.target if purpose == "offer" else ""
    amount, at = made.amount or 0.0, made.decided_at
    return Reservation(made.opportunity_id, made.account_id, made.campaign_id, amount, at, purpose, target)
