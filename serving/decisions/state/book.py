"""A store's books: flat mappings from names to integers or text, and the state they encode.

Money is in millionths of the currency, as integers, so that sums are exact in any order. A window has three counts: the
current time bucket, the previous one, and all before; the first two are the recent period. Late events are counted in
their own bucket.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil, isfinite, ulp
from typing import Any

from serving.decisions.records import (
    MICRO,
    ArmOutcome,
    Changes,
    Counters,
    Override,
    Segment,
    Spend,
    State,
    WindowedCounters,
)
from serving.decisions.state.store import MOST_SUM, UNCHANGED, Budget, CampaignSettings, FeedbackEvent, Limit

DAY = 86_400
#: Limit of sums, in millionths.
CAP = int(MOST_SUM * MICRO)
#: Bids count at full cost until bids of this share of the daily budget were settled.
CAUTION = 0.01
SEPARATOR = "\x1f"
#: Prefixes of entries by creative: why it is not shown, and how often it was shown.
RESTS, SHOWN = f"rests{SEPARATOR}", f"shown{SEPARATOR}"
COUNTED = ("bids", "impressions", "clicks", "conversions", "value", "cost")

Book = Mapping[str, Any]


def micros(money: float) -> int:
    """An amount in millionths, rounded up except for float error."""
    told = money * MICRO
    nearest = round(told)
    return nearest if abs(told - nearest) <= max(1e-3, 2 * ulp(told)) else ceil(told)


def maybe_micros(money: float | None) -> int | str:
    """As `micros`; empty for None."""
    return "" if money is None else micros(money)


def add(book: dict[str, Any], name: str, amount: int) -> None:
    """Add to an entry. A sum at the limit stays there, as it is not known any more."""
    before = int(book.get(name, 0))
    if amount and abs(before) < CAP:
        book[name] = min(max(before + amount, -CAP), CAP)


def seen(event: FeedbackEvent) -> dict[str, int]:
    """Counters of a window that an event adds to, besides cost and value."""
    refund = event.kind == "conversion" and event.value < 0
    return {} if refund or event.kind in ("loss", "correction") else {f"{event.kind}s": 1}


def terms(said: CampaignSettings) -> dict[str, int | str]:
    """Book entries of campaign settings."""
    rate = said.min_conversion_rate
    own: dict[str, int | str] = {} if rate is UNCHANGED else {"min_rate": "" if rate is None else repr(rate)}
    own |= {f"{RESTS}{name}": why for name, why in said.resting.items()}
    return {**limits(daily_limit=said.daily_limit, limit=said.limit, target_cpc=said.target_cpc), **own}


def limits(**said: Limit) -> dict[str, int | str]:
    """Book entries of limits."""
    return {name: maybe_micros(amount) for name, amount in said.items() if amount is not UNCHANGED}


def segments_of(said: CampaignSettings) -> dict[str, str | int]:
    """Entries of the segments' book from campaign settings."""
    shares = {
        f"{dimension}{SEPARATOR}{name}{SEPARATOR}share": repr(share)
        for dimension, names in said.shares.items()
        for name, share in names.items()
    }
    return {**shares, **{f"keyword{SEPARATOR}{name}{SEPARATOR}paused": 1 for name in said.candidates}}


def overridden(said: Override | None) -> dict[str, int | str]:
    """Book entries of a manual override."""
    if said is None:
        return {"override_by": "", "override_bid": "", "override_why": ""}
    return {"override_by": said.by or "someone", "override_bid": maybe_micros(said.bid), "override_why": said.why}


def bounded(at: object, latest: float) -> float:
    """The clock, but not after the latest time; 0 for an invalid clock."""
    return min(max(float(at), 0.0), latest) if isinstance(at, int | float) and isfinite(at) else 0.0


def redated(book: Book, now: float, recent_s: int) -> dict[str, int | str]:
    """Entries with dates that a fast clock set in the future, dated back to now.

    Spend and holds count for the current day, as it is unknown how much belongs to another.
    """
    day = int(now // DAY)
    latest: dict[str, int | str] = {"day": day, "change_day": day, "seen_at": repr(now), "last_at": repr(now)}
    latest |= {name: int(now // recent_s) for name in book if name.endswith("bucket")}
    ahead = {name: value for name, value in latest.items() if book.get(name, "") != ""}
    return {name: value for name, value in ahead.items() if float(book[name]) > float(value)}


def state(
    campaign: Book,
    account: Book,
    segments: Book | None,
    evidence: Book,
    killed: str | None,
    at: float,
    now: float,
    recent_s: int,
    ahead_s: float,
    compared: tuple[Book, int, Book] | None = None,
) -> State:
    """The state that the books encode.

    Args:
        segments: None where counters are not needed, which saves time.
        compared: where the decision compares arms, the book of their counters, the length of its time buckets in
            seconds, and the book of what the customer was shown.
        at: the opportunity's clock, limited to the store's.
        now: the store's clock.
        ahead_s: how far a clock may be ahead of it. A later `seen_at` came from the store's own clock while that was
            fast, and is ignored.
    """
    day, bucket, looked = int(at // DAY), int(at // recent_s), segments is not None
    seen_at = _maybe(campaign, "seen_at")
    return State(
        seen_at=None if seen_at is None or seen_at > now + ahead_s else seen_at,
        store_at=now,
        campaign=_spend(campaign, day, 0),
        account=_spend(account, day, ""),
        target_cpc=_money(campaign, "target_cpc"),
        min_conversion_rate=_maybe(campaign, "min_rate"),
        window=window(campaign, "", bucket) if looked else WindowedCounters(),
        account_window=window(account, "", bucket) if looked else WindowedCounters(),
        segments=_segments(segments, bucket) if segments else {},
        changes=_changes(campaign, day),
        evidence={arm: _outcome(evidence, arm) for arm in sorted({name.rpartition("_")[0] for name in evidence})},
        override=_override(campaign),
        killed=killed or campaign.get("killed") or account.get("killed") or None,
        **({} if compared is None else _compared(*compared, campaign, at)),
    )


def _compared(arms: Book, length_s: int, shown: Book, campaign: Book, at: float) -> dict[str, Any]:
    """Fields of the state for decisions that compare arms."""
    names, bucket = sorted({key.partition(SEPARATOR)[0] for key in arms}), int(at // length_s)
    return {
        "arms": {name: window(arms, f"{name}{SEPARATOR}", bucket) for name in names},
        "shown": {key.removeprefix(SHOWN): int(often) for key, often in shown.items() if key.startswith(SHOWN)},
        "resting": {key.removeprefix(RESTS): why for key, why in campaign.items() if key.startswith(RESTS) and why},
    }


def budget(book: Book, account_id: str, campaign_id: str | None, at: float) -> Budget:
    """The budget that the book of a campaign or account encodes."""
    return Budget(
        account_id,
        campaign_id,
        _spend(book, int(at // DAY), "" if campaign_id is None else 0),
        _money(book, "target_cpc"),
        _override(book),
        book.get("killed") or None,
    )


def window(book: Book, prefix: str, bucket: int) -> WindowedCounters:
    """The window of a book at a time bucket."""
    held = book.get(f"{prefix}bucket")
    if held is None:
        return WindowedCounters()
    later = bucket - int(held)
    now, last, past = _keys(prefix)
    recent, over = (now + last, past) if later <= 0 else (now, last + past) if later == 1 else ((), now + last + past)
    return WindowedCounters(_counters(book, recent), _counters(book, over))


@lru_cache(maxsize=4096)
def _keys(prefix: str) -> tuple[tuple[str, ...], ...]:
    """Entry names of each part of a window."""
    return tuple(tuple(f"{prefix}{part}_{name}" for name in COUNTED) for part in ("now", "last", "past"))


def _counters(book: Book, keys: tuple[str, ...]) -> Counters:
    """The sum of some parts; `keys` has their entry names."""
    counts = [0] * len(COUNTED)
    for place, key in enumerate(keys):
        found = book.get(key)
        if found is not None:
            counts[place % len(COUNTED)] += int(found)
    bids, impressions, clicks, conversions, value, cost = counts
    return Counters(bids, impressions, clicks, conversions, value / MICRO, cost / MICRO)


def _spend(book: Book, day: int, unset: int | str) -> Spend:
    """Money of a book. `unset` is the daily limit where none was set: 0 for a campaign, None for an account."""
    daily, same = book.get("daily_limit", unset), int(book.get("day", day)) >= day
    today, held_today, firm_today = (
        int(book.get(name, 0)) if same else 0 for name in ("today", "held_today", "firm_today")
    )
    total, held, firm = (int(book.get(name, 0)) for name in ("total", "held", "firm"))
    back = (1 - cost_ratio(book, 0 if daily == "" else int(daily))) / MICRO
    return Spend(
        today / MICRO,
        total / MICRO,
        held_today / MICRO,
        None if daily == "" else int(daily) / MICRO,
        _money(book, "limit"),
        (held - held_today) / MICRO,
        back * (held_today - firm_today),
        back * (held - held_today - firm + firm_today),
        int(book.get("excess", 0)) / MICRO,
    )


def cost_ratio(book: Book, daily: int) -> float:
    """Average cost of a bid per reserved unit, of recent bids: the win rate times the price paid per bid."""
    prior = CAUTION * daily
    settled = int(book.get("settled", 0)) + prior
    return min(1.0, (int(book.get("settled_cost", 0)) + prior) / settled) if settled > 0 else 1.0


def _override(book: Book) -> Override | None:
    said = book.get("override_by")
    return Override(_money(book, "override_bid"), said, str(book["override_why"])) if said else None


def _changes(book: Book, day: int) -> Changes:
    same = int(book.get("change_day", day)) >= day
    return Changes(
        float(book.get("multiplier", 1.0)),
        _maybe(book, "last_at"),
        float(book.get("bid_today", 0.0)) if same else 0.0,
        float(book.get("moved_today", 0.0)) if same else 0.0,
    )


def _outcome(book: Book, arm: str) -> ArmOutcome:
    return ArmOutcome(
        int(book.get(f"{arm}_cost", 0)) / MICRO,
        int(book.get(f"{arm}_conversions", 0)),
        int(book.get(f"{arm}_value", 0)) / MICRO,
        max(0.0, float(book.get(f"{arm}_squares", 0.0))),  # a refund may leave a rounding error of zero
        int(book.get(f"{arm}_impressions", 0)),
        int(book.get(f"{arm}_clicks", 0)),
    )


def _segments(book: Book, bucket: int) -> dict[str, dict[str, Segment]]:
    found: dict[str, dict[str, Segment]] = {}
    for dimension, name in sorted({tuple(key.split(SEPARATOR)[:2]) for key in book}):
        prefix = f"{dimension}{SEPARATOR}{name}{SEPARATOR}"
        found.setdefault(dimension, {})[name] = Segment(
            window(book, prefix, bucket), _maybe(book, f"{prefix}share"), bool(int(book.get(f"{prefix}paused", 0)))
        )
    return found


def _maybe(book: Book, name: str) -> float | None:
    found = book.get(name, "")
    return None if found == "" else float(found)


def _money(book: Book, name: str) -> float | None:
    found = book.get(name, "")
    return None if found == "" else int(found) / MICRO
