"""From a group of opportunities to their decisions: one read, one call of each model, two calls of the state store."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.catalog import POLICY
from serving.decisions import engine
from serving.decisions.answer import answered
from serving.decisions.log.writer import DecisionLog
from serving.decisions.metrics import FAULTS, GROUP, decided, stage
from serving.decisions.params import Decisions
from serving.decisions.predict.active_models import ActiveModels, ByKind
from serving.decisions.predict.predictors import Features
from serving.decisions.records import Action, Decision, DecisionKind, Opportunity, Predictions, State
from serving.decisions.state.allowance import Allowance
from serving.decisions.state.store import Grant, Purpose, Reservation
from serving.records.writer import LogUnavailable

log = logging.getLogger("adloop.decisions")

#: What is promised money.
_PAID = (Action.BID, Action.RETENTION_OFFER)


class Models(Protocol):
    """The models in force; replaced as a whole."""

    @property
    def active(self) -> ActiveModels: ...


@dataclass(frozen=True)
class Pipeline:
    """Decides groups of opportunities; called by one thread at a time."""

    models: Models
    features: Features
    money: Allowance
    log: DecisionLog
    params: Decisions
    seed: int

    def decide(self, opportunities: Sequence[Opportunity]) -> list[Decision]:
        """A decision for each, in their order: whatever fails on the way makes it a conservative one."""
        GROUP.observe(len(opportunities))
        decisions: dict[int, Decision] = {}
        for predictors, places in self.models.active.parts(opportunities, self.seed):
            made = self._decide([opportunities[place] for place in places], predictors)
            decisions.update(zip(places, made, strict=True))
        decided(decisions.values())
        return [decisions[place] for place in range(len(opportunities))]

    def _decide(self, opportunities: Sequence[Opportunity], predictors: ByKind) -> list[Decision]:
        with stage("load"):
            states = self._load(opportunities, predictors["bid"].versions.get(POLICY, ""))
        with stage("predict"):
            predictions = self._predict(opportunities, states, predictors)
        with stage("decide"):
            made = [
                engine.decide(one, said, state, self.params, self.seed)
                for one, said, state in zip(opportunities, predictions, states, strict=True)
            ]
        with stage("reserve"):
            grants = self._reserve(made)
        with stage("log"):
            return [self._logged(*one) for one in zip(opportunities, predictions, states, grants, made, strict=True)]

    def _predict(
        self, opportunities: Sequence[Opportunity], states: Sequence[State], predictors: ByKind
    ) -> list[Predictions]:
        places: dict[DecisionKind, list[int]] = {}
        for place, one in enumerate(opportunities):
            places.setdefault(one.asked, []).append(place)
        found: list[Predictions] = [Predictions()] * len(opportunities)
        for asked, those in places.items():
            here = [opportunities[place] for place in those], [states[place] for place in those]
            said = predictors[asked].predict(*here, self.features)
            for place, predictions in zip(those, said, strict=True):
                found[place] = predictions
        return found

    def _load(self, opportunities: Sequence[Opportunity], policy: str) -> list[State]:
        states = self.money.load(opportunities, policy)
        if not all(state.known for state in states):
            FAULTS["store"].inc()
        return states

    def _reserve(self, made: Sequence[Decision]) -> list[Grant | None]:
        """What comes of asking for the money of each; None where none is asked for."""
        asking = [place for place, one in enumerate(made) if one.action in _PAID and one.amount is not None]
        grants: list[Grant | None] = [None] * len(made)
        if asking:
            given = self.money.reserve([_reservation(made[place]) for place in asking])
            for place, grant in zip(asking, given, strict=True):
                grants[place] = grant
        return grants

    def _logged(
        self, asked: Opportunity, said: Predictions, state: State, grant: Grant | None, made: Decision
    ) -> Decision:
        """The decision as it is answered. What leaves no trace is not done, and its money is given back."""
        decision = answered(made, grant)
        try:
            self.log.append(asked, said, state, grant, decision)
        except LogUnavailable as full:
            FAULTS["log"].inc()
            log.warning("%s", full)
            if grant is not None and grant.status == "reserved":
                self.money.release(_reservation(made))
            return engine.withheld(decision, f"the decision log does not take it: {full}")
        return decision


def _reservation(made: Decision) -> Reservation:
    purpose: Purpose = "offer" if made.action is Action.RETENTION_OFFER else "bid"
    target = made.target if purpose == "offer" else ""
    amount, at = made.amount or 0.0, made.decided_at
    return Reservation(made.opportunity_id, made.account_id, made.campaign_id, amount, at, purpose, target)
