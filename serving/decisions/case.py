"""A case: all that a decision is made from, and the draft that rules and guardrails pass on."""

import hashlib
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Generic, TypeVar

from serving.decisions.params import DecisionParams
from serving.decisions.records import Action, Arm, Opportunity, Predictions, State, Trigger

Asked = TypeVar("Asked", bound=Opportunity, covariant=True)


@dataclass(frozen=True, slots=True)
class Case(Generic[Asked]):
    """One opportunity with all that is known about it."""

    opportunity: Asked
    predictions: Predictions
    state: State
    params: DecisionParams
    seed: int

    def answer(self, need: str) -> float | None:
        """What a model said, by the kind's name for it; None where that is missing or no finite number."""
        return number(self.predictions.answers.get(need))

    def uniform(self, purpose: str) -> float:
        """The case's draw for this purpose."""
        return uniform(self.opportunity, self.seed, purpose)


def uniform(asked: Opportunity, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but the seed, the opportunity and what it is for."""
    return int.from_bytes(digest(asked, seed, purpose)[:7], "big") / 2**56


def digest(asked: Opportunity, seed: int, purpose: str) -> bytes:
    """16 bytes that identify the opportunity under this seed."""
    told = repr((seed, purpose, asked.account_id, asked.campaign_id, asked.asked, asked.opportunity_id))
    return hashlib.blake2b(told.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision on its way through the guardrails."""

    action: Action
    target: str
    reason: str
    amount: float | None = None
    unit: str | None = None
    before: float | None = None
    source: str | None = None
    dimension: str | None = None
    triggers: tuple[Trigger, ...] = ()
    arm: Arm = "policy"
    propensity: float = 1.0
    explored: bool = False

    def left(self, **changes: Any) -> "Draft":
        """This draft with some of it changed."""
        return replace(self, **changes)

    def held(self, reason: str, **changes: Any) -> "Draft":
        """Nothing is done, for this reason."""
        return replace(self, action=Action.HOLD, reason=reason, amount=None, unit=None, **changes)


def amount(value: object) -> float | None:
    """A usable amount of money: finite and above nothing; else None."""
    found = number(value)
    return found if found is not None and found > 0 else None


def number(value: object) -> float | None:
    """A finite number; None for what is missing, no number, or not finite."""
    if type(value) is float:
        return value if isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer beyond what a float holds
        return None
    return found if isfinite(found) else None
