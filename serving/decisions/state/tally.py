"""Counts events: by time for the campaign, its account and its segments, and as evidence for its policy."""

from serving.decisions.state.book import SEPARATOR, add
from serving.decisions.state.pages import Book, Pages, account_key, arms_key, campaign_key, evidence_key, segments_key
from serving.decisions.state.store import FeedbackEvent


def tally(event: FeedbackEvent, counted: dict[str, int], pages: Pages, at: float, recent_s: int) -> None:
    """Count an event for the campaign, its account and its segments, in its time bucket."""
    if event.purpose != "bid" or not any(counted.values()):  # offers are not auctions, so they cannot be won
        return
    count(pages[campaign_key(event.account_id, event.campaign_id)], "", counted, at, recent_s)
    count(pages[account_key(event.account_id)], "", counted, at, recent_s)
    for dimension, name in event.segments.items():
        prefix = SEPARATOR.join((dimension, name, ""))
        count(pages[segments_key(event.account_id, event.campaign_id)], prefix, counted, at, recent_s)


def evidence(
    event: FeedbackEvent, counted: dict[str, int], squares: float, pages: Pages, decided_at: float, rewards_s: int
) -> None:
    """Add to the spend and outcomes of the event's arm, if it has one.

    Of choices also by the time of the decision, in buckets of `rewards_s`: an arm whose outcomes come late must not
    look worse than one whose outcomes come at once.
    """
    if event.arm is None:
        return
    if event.purpose == "choice":
        arms = pages[arms_key(event.account_id, event.campaign_id, event.version)]
        count(arms, f"{event.arm}{SEPARATOR}", counted, decided_at, rewards_s)
    book = pages[evidence_key(event.account_id, event.campaign_id, event.version)]
    for name in ("cost", "value", "conversions", "impressions", "clicks"):
        add(book, f"{event.arm}_{name}", counted.get(name, 0))
    if squares:
        book[f"{event.arm}_squares"] = book.get(f"{event.arm}_squares", 0.0) + squares


def count(book: Book, prefix: str, counted: dict[str, int], at: float, recent_s: int) -> None:
    """Add to the event's time bucket, of `recent_s`, after moving past buckets on."""
    bucket = int(at // recent_s)
    held = book.setdefault(f"{prefix}bucket", bucket)
    if bucket > held:
        _turn(book, prefix, bucket - held)
        book[f"{prefix}bucket"] = held = bucket
    part = {0: "now_", 1: "last_"}.get(held - bucket, "past_")
    for name, amount in counted.items():
        add(book, f"{prefix}{part}{name}", amount)


def _turn(book: Book, prefix: str, by: int) -> None:
    """Move the recent buckets on: to the previous one, or to the past."""
    for name in ("bids", "impressions", "clicks", "conversions", "value", "cost"):
        now, last = book.pop(f"{prefix}now_{name}", 0), book.pop(f"{prefix}last_{name}", 0)
        over, kept = (last, now) if by == 1 else (last + now, 0)
        add(book, f"{prefix}past_{name}", over)
        if kept:
            book[f"{prefix}last_{name}"] = kept
