"""The input of policies and guardrails, and the draft they pass on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite, nextafter
from typing import Any, Generic, TypeVar

from serving.decisions.params import DecisionParams
from serving.decisions.records import Action, Arm, Opportunity, Predictions, State, Trigger

Asked = TypeVar("Asked", bound=Opportunity, covariant=True)

_BELOW_ONE = nextafter(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Case(Generic[Asked]):
    """One opportunity with its predictions, state and parameters."""

    opportunity: Asked
    predictions: Predictions
    state: State
    params: DecisionParams
    seed: int

    def answer(self, need: str) -> float | None:
        """A model's answer by the kind's name for it; None where it is missing or not a finite number."""
        return number(self.predictions.answers.get(need))

    def uniform(self, purpose: str) -> float:
        """The random number of this case for a purpose."""
        return uniform(self.opportunity, self.seed, purpose)


def uniform(asked: Opportunity, seed: int, purpose: str) -> float:
    """A number in [0, 1) determined by the seed, the opportunity and the purpose."""
    return _fraction(digest(asked, seed, purpose))


def uniform_of(unit: str, asked: Opportunity, seed: int, purpose: str) -> float:
    """A number in [0, 1) determined by the seed, the unit, the campaign and the purpose: equal for all opportunities
    with this unit, such as a customer."""
    identity = repr((seed, purpose, asked.account_id, asked.campaign_id, asked.asked, "unit", unit))
    return _fraction(hashlib.blake2b(identity.encode(), digest_size=16).digest())


def _fraction(digested: bytes) -> float:
    # A float has 53 bits: the highest of these 56 would be rounded to 1.
    return min(int.from_bytes(digested[:7], "big") / 2**56, _BELOW_ONE)


def digest(asked: Opportunity, seed: int, purpose: str) -> bytes:
    """16 bytes that identify the opportunity under this seed."""
    identity = repr((seed, purpose, asked.account_id, asked.campaign_id, asked.asked, asked.opportunity_id))
    return hashlib.blake2b(identity.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed decision, changed by guardrails."""

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
    propensities: Mapping[str, float] = field(default_factory=dict)

    def left(self, **changes: Any) -> "Draft":
        """A copy with changes."""
        return replace(self, **changes)

    def held(self, reason: str, **changes: Any) -> "Draft":
        """A copy with the action `hold`, for this reason."""
        return replace(self, action=Action.HOLD, reason=reason, amount=None, unit=None, **changes)


def amount(value: object) -> float | None:
    """A positive finite amount; None for anything else."""
    found = number(value)
    return found if found is not None and found > 0 else None


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if type(value) is float:
        return value if isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer beyond the range of floats
        return None
    return found if isfinite(found) else None
