"""What is done to the books in one transaction of the embedded store. `scripts.py` says it in Redis's language."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any

from serving.decisions.records import Action, Decision
from serving.decisions.state.book import DAY, MICRO, SEPARATOR, counts, micros
from serving.decisions.state.store import Event, Grant, Reservation

Book = dict[str, Any]


@dataclass(slots=True)
class Held:
    """A reservation as it is kept: what is set aside, until when; `open` until it is settled or expires."""

    account_id: str
    campaign_id: str
    amount: int
    expires: float
    open: bool = True


class Pages:
    """Books by key: read once in a transaction, changed in memory, written back at its end."""

    def __init__(self, read: Callable[[str], Book | None]) -> None:
        self._read = read
        self.changed: dict[str, Book] = {}

    def __getitem__(self, key: str) -> Book:
        if key not in self.changed:
            self.changed[key] = self._read(key) or {}
        return self.changed[key]


def campaign_key(account: str, campaign: str) -> str:
    return SEPARATOR.join(("campaign", account, campaign))


def account_key(account: str) -> str:
    return SEPARATOR.join(("account", account))


def segments_key(account: str, campaign: str) -> str:
    return SEPARATOR.join(("segments", account, campaign))


def evidence_key(account: str, campaign: str, version: str) -> str:
    return SEPARATOR.join(("evidence", account, campaign, version))


def customer_key(account: str, customer: str) -> str:
    return SEPARATOR.join(("customer", account, customer))


def reserve(asked: Reservation, pages: Pages, killed: str | None, at: float, recent_s: int) -> Grant:
    """Set the amount aside in both books, or say why not."""
    campaign = pages[campaign_key(asked.account_id, asked.campaign_id)]
    account = pages[account_key(asked.account_id)]
    stopped = killed or campaign.get("killed") or account.get("killed")
    if stopped:
        return Grant("refused", 0.0, f"stopped: {stopped}")
    if "daily_limit" not in campaign:
        return Grant("refused", 0.0, "nobody configured this campaign")
    amount = micros(asked.amount)
    for whose, book in (("campaign", campaign), ("account", account)):
        roll(book, at)
        if amount > left(book):
            return Grant("refused", 0.0, f"the {whose} has {left(book) / MICRO:.6g} left to spend")
    for book in (campaign, account):
        book["reserved"] = book.get("reserved", 0) + amount
        if asked.lasts_s is None:
            count(book, "", {"bids": 1}, at, recent_s)
    campaign["seen_at"] = repr(max(float(campaign.get("seen_at", at)), at))
    return Grant("reserved", amount / MICRO)


def left(book: Book) -> float:
    """What may still be promised, in millionths; infinite without a limit."""
    daily, limit, reserved = book.get("daily_limit", ""), book.get("limit", ""), book.get("reserved", 0)
    today = float("inf") if daily == "" else daily - book.get("today", 0) - reserved
    total = float("inf") if limit == "" else limit - book.get("total", 0) - reserved
    return min(today, total)


def roll(book: Book, at: float) -> None:
    """Begin a new day, if it is one. A day that was left does not come back."""
    day = int(at // DAY)
    if day > book.get("day", -1):
        book["day"], book["today"] = day, 0


def release(held: Held, pages: Pages) -> None:
    """Give back what was set aside."""
    held.open = False
    for key in (campaign_key(held.account_id, held.campaign_id), account_key(held.account_id)):
        pages[key]["reserved"] = pages[key].get("reserved", 0) - held.amount


def pay(event: Event, pages: Pages, at: float) -> None:
    """Book what was spent. Of a day that is over, only the total remembers."""
    spent = micros(event.cost or 0.0)
    for key in (campaign_key(event.account_id, event.campaign_id), account_key(event.account_id)):
        book = pages[key]
        roll(book, at)
        book["total"] = book.get("total", 0) + spent
        if int(at // DAY) == book["day"]:
            book["today"] = book.get("today", 0) + spent


def tally(event: Event, pages: Pages, at: float, recent_s: int) -> None:
    """Count the event for the campaign, its account, its segments, and as evidence."""
    counted = counts(event)
    count(pages[campaign_key(event.account_id, event.campaign_id)], "", counted, at, recent_s)
    count(pages[account_key(event.account_id)], "", counted, at, recent_s)
    for dimension, name in event.segments.items():
        prefix = SEPARATOR.join((dimension, name, ""))
        count(pages[segments_key(event.account_id, event.campaign_id)], prefix, counted, at, recent_s)
    if event.arm is not None:
        book = pages[evidence_key(event.account_id, event.campaign_id, event.version)]
        told = {"cost": counted["cost"], "value": counted["value"], "conversions": counted.get("conversions", 0)}
        for name, amount in {**told, "squares": event.value**2}.items():
            book[f"{event.arm}_{name}"] = book.get(f"{event.arm}_{name}", 0) + amount


def count(book: Book, prefix: str, counted: dict[str, int], at: float, recent_s: int) -> None:
    """Add to the bucket that the time belongs to, after those that are over have moved on."""
    bucket = int(at // recent_s)
    held = book.setdefault(f"{prefix}bucket", bucket)
    if bucket > held:
        _turn(book, prefix, bucket - held)
        book[f"{prefix}bucket"] = held = bucket
    part = {0: "now_", 1: "last_"}.get(held - bucket, "past_")
    for name, amount in counted.items():
        if amount:
            book[f"{prefix}{part}{name}"] = book.get(f"{prefix}{part}{name}", 0) + amount


def _turn(book: Book, prefix: str, by: int) -> None:
    """Move the two recent buckets on: into the one before, or into the past."""
    for name in ("bids", "impressions", "clicks", "conversions", "value", "cost"):
        now, last = book.pop(f"{prefix}now_{name}", 0), book.pop(f"{prefix}last_{name}", 0)
        over, kept = (last, now) if by == 1 else (last + now, 0)
        if over:
            book[f"{prefix}past_{name}"] = book.get(f"{prefix}past_{name}", 0) + over
        if kept:
            book[f"{prefix}last_{name}"] = kept


def claimable(book: Book, decision: Decision, cooldown_s: float) -> bool:
    """Whether the change may be made: nothing was changed since it was decided, or not for long enough."""
    last = book.get("last_at", "")
    if last != "" and decision.decided_at - float(last) < cooldown_s:
        return False
    changes_bid = decision.action in (Action.RAISE_BID, Action.LOWER_BID)
    return not changes_bid or float(book.get("multiplier", 1.0)) == decision.before


def claim(book: Book, segments: Book, decision: Decision) -> None:
    """Note the change as made."""
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
    """What the change makes of the campaign's segments: shares of budget moved, traffic stopped and started."""
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
