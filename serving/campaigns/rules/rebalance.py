"""Moves budget to the place whose value per spend is surely the highest, a bounded step at a time; the sum stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from serving.campaigns.rules.metrics import SeenRate

#: Parts of a whole that shares are counted in, and the smallest part of an amount that moves.
WHOLE, CENT = 10_000, Decimal("0.01")


def shares(spent: Mapping[str, float]) -> dict[str, float]:
    """Shares of a budget in parts of `WHOLE`, to which they sum exactly (largest remainders)."""
    total = sum(spent.values())
    exact = {name: WHOLE * (amount / total if total > 0 else 1 / len(spent)) for name, amount in spent.items()}
    parts = {name: int(one) for name, one in exact.items()}
    left = WHOLE - sum(parts.values())
    for name in sorted(exact, key=lambda name: (parts[name] - exact[name], name))[:left]:
        parts[name] += 1
    return {name: float(one) for name, one in parts.items()}


@dataclass(frozen=True, slots=True)
class Move:
    """Budgets after a move, and why; the same ones and nothing where no place is surely better than another."""

    budgets: dict[str, float]
    why: str = ""


def moved(budgets: Mapping[str, float], worth: Mapping[str, SeenRate], chance: float, step: float, keep: float) -> Move:
    """One move of budget.

    The place with the highest lower bound gets from those whose upper bound is below it, the worst first. Sums are kept
    to the last digit.

    Args:
        worth: value by spend of each place.
        chance: probability of a move between places that are equal.
        step: the largest share of its budget that a place gives or gets.
        keep: a place keeps this share of an equal part.
    """
    before = {name: Decimal(str(amount)) for name, amount in budgets.items() if name in worth}
    if len(before) < 2:
        return Move(dict(budgets))
    bounds = {name: worth[name].interval(chance / len(before)) for name in before}
    best = max(before, key=lambda name: (bounds[name][0], name))
    room = _cents(before[best] * Decimal(str(step)))
    least = sum(before.values(), Decimal(0)) / len(before) * Decimal(str(keep))
    after, why = dict(before), list[str]()
    for name in sorted(before, key=lambda name: (bounds[name][1], name)):
        if name == best or bounds[name][1] >= bounds[best][0]:
            continue
        gives = min(room, _cents(before[name] * Decimal(str(step))), max(Decimal(0), _cents(before[name] - least)))
        after[name], after[best], room = after[name] - gives, after[best] + gives, room - gives
        if gives:
            why.append(f"{name} at most {bounds[name][1]:.3g}")
    said = f"a unit of spend brings {best} at least {bounds[best][0]:.3g}, {', '.join(why)}" if why else ""
    return Move({name: float(after.get(name, amount)) for name, amount in budgets.items()}, said)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_FLOOR)
