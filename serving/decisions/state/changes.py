"""Book changes by an executed campaign change or offer, for the embedded store."""

from math import log
from typing import Any

from serving.decisions.records import Action, Decision
from serving.decisions.state.book import DAY, SEPARATOR
from serving.decisions.state.pages import Book


def claimable(book: Book, decision: Decision, cooldown_s: float) -> bool:
    """Whether the change may still be made: no other change since the decision, or not within the cooldown."""
    last = book.get("last_at", "")
    if last != "" and decision.decided_at - float(last) < cooldown_s:
        return False
    changes_bid = decision.action in (Action.RAISE_BID, Action.LOWER_BID)
    return not changes_bid or float(book.get("multiplier", 1.0)) == decision.before


def claim(book: Book, segments: Book, decision: Decision) -> None:
    """Record the change."""
    day = int(decision.decided_at // DAY)
    if day > book.get("change_day", -1):
        book.update(change_day=day, bid_today="0.0", moved_today="0.0")
    book.update(last_at=repr(decision.decided_at), last_decision=decision.decision_id)
    amount = decision.amount or 0.0
    if decision.action in (Action.RAISE_BID, Action.LOWER_BID):
        changed = abs(log(amount / (decision.before or 1.0)))
        book.update(multiplier=repr(amount), bid_today=repr(float(book.get("bid_today", 0)) + changed))
    elif decision.action is Action.MOVE_BUDGET:
        book["moved_today"] = repr(float(book.get("moved_today", 0)) + amount)
    segments.update(rearranged(segments, decision))


def rearranged(segments: Book, decision: Decision) -> dict[str, Any]:
    """Segments after the change: moved budget shares, paused and started traffic."""
    dimension = decision.dimension or "keyword"
    to, away = (SEPARATOR.join((dimension, name or "", "")) for name in (decision.target, decision.source))
    if decision.action is Action.MOVE_BUDGET:
        amount = decision.amount or 0.0
        given, taken = (float(segments.get(f"{prefix}share", 0)) for prefix in (to, away))
        return {f"{to}share": repr(given + amount), f"{away}share": repr(max(0.0, taken - amount))}
    if decision.action is Action.PAUSE_KEYWORD:
        return {f"{to}paused": 1}
    if decision.action is Action.ADD_KEYWORD:
        return {f"{to}paused": 0}
    return {f"{to}paused": 0, f"{away}paused": 1} if decision.action is Action.ROTATE_CREATIVE else {}
