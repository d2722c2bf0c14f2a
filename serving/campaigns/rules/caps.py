"""How far a change may go now: caps of a step and a day, and the time since the last one."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from serving.campaigns.rules.grammar import RuleLimits

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Past:
    """What was done to a field of an object before.

    Attributes:
        last_at: Unix seconds of its last change; None without one.
        day_began: its value before its first change of the account's day; None without one today.
    """

    last_at: float | None = None
    day_began: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The value to set now; None where none may be set. `why` says what limited it; `rest` is the queued value."""

    value: Any
    why: str = ""
    rest: float | None = None


def cooling(past: Past, limits: RuleLimits, now: float) -> str:
    """Why the field has to rest still; empty where not."""
    if past.last_at is None or now - past.last_at >= limits.cooldown:
        return ""
    return f"cools down for another {(limits.cooldown - now + past.last_at) / 3600:.1f} h"


def step(before: float, asked: float, past: Past, limits: RuleLimits) -> Step:
    """The part of a change that may be made now; the rest is queued."""
    began = before if past.day_began is None else past.day_began
    if asked > before:
        value = min(asked, before * (1 + limits.step), began * (1 + limits.day))
    else:
        value = max(asked, before * (1 - limits.step), began * (1 - limits.day))
    value = asked if value == asked else _towards(before, value)
    if value == asked:
        return Step(asked)
    why = f"{asked:g} asked, at most {limits.step:.0%} a step and {limits.day:.0%} a day"
    if (value - before) * (asked - before) <= 0:
        return Step(None, f"{why}: the day's change is used up", asked)
    return Step(value, f"{why}: {value:g} now, the rest is queued", asked)


def _towards(before: float, value: float) -> float:
    """The value in whole cents, none of them beyond the cap."""
    rounding = ROUND_FLOOR if value > before else ROUND_CEILING
    return float(Decimal(str(round(value, 9))).quantize(CENT, rounding))
