"""Which of several wants is carried out: where two oppose, the higher priority; between equals, the one that protects.

A want that loses is told with the reason, and does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.campaigns.rules.grammar import AdRule
from serving.campaigns.rules.objects import Place
from serving.campaigns.rules.wishes import Wish


@dataclass(frozen=True, slots=True)
class RuleClaim:
    """What a rule wants: all of its wishes or none. `place` is its rule's in the file."""

    rule: AdRule
    place: int
    wishes: tuple[Wish, ...]


def settled(claims: Sequence[RuleClaim]) -> list[tuple[RuleClaim, str]]:
    """Each claim with why it lost; empty where it is carried out."""
    taken, lost = dict[Place, list[tuple[RuleClaim, Wish]]](), dict[int, str]()
    for claim in sorted(claims, key=_order):
        why = next((why for wish in claim.wishes if (why := _opposed(claim, wish, taken))), "")
        if why:
            lost[id(claim)] = why
            continue
        for wish in claim.wishes:
            taken.setdefault(wish.one.place, []).append((claim, wish))
    return [(claim, lost.get(id(claim), "")) for claim in claims]


def _order(claim: RuleClaim) -> tuple[int, int, int]:
    """Higher priority first, then what spends less, then as in the file."""
    return -claim.rule.priority, min(wish.direction for wish in claim.wishes), claim.place


def _opposed(claim: RuleClaim, wish: Wish, taken: dict[Place, list[tuple[RuleClaim, Wish]]]) -> str:
    for winner, other in taken.get(wish.one.place, []):
        if other.direction * wish.direction < 0 or other.field == wish.field:
            how = "is opposed by" if other.direction * wish.direction < 0 else "is of the same field as"
            return f"{how} rule {winner.rule.name}, {_why(winner.rule, claim.rule)}"
    return ""


def _why(winner: AdRule, loser: AdRule) -> str:
    if winner.priority > loser.priority:
        return f"which has priority {winner.priority} over {loser.priority}"
    return "which protects or comes first, at equal priority"
