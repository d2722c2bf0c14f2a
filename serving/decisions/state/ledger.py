"""The money: holds and bills, in a transaction of the embedded store. `scripts.py` implements the same for Redis.

Invariants, for events in any order, late or repeated, from several workers, and over restarts:

1.  For every campaign and account, for the current day and in total: billed + held <= limit + excess. The excess was
    billed without a hold: a cost after its hold had ended, or above it. It is flagged, and counts against the limit
    like everything billed.
2.  A decision is charged once, with the first reported cost. A different cost is not added but flagged; only a
    `correction` replaces it, the one that occurred last.
3.  A hold lasts until its cost is known, a loss is reported, or it is due. A bid that is known to be won is then billed
    the held amount until its cost is reported; any other hold is released.
4.  Holds and bills belong to the day of the decision. A past day does not come back.
5.  A hold belongs to an account, campaign, purpose and opportunity; another campaign's hold is another one.

A hold is a book: `amount` and `day`; `open` while it is held; `won`; `paid` once charged (`assumed` while the cost is
not reported); `sold` and `refunded` values. It is deleted where nothing came of it; otherwise it is kept as long as its
decision.
"""

from serving.decisions.params import DecisionParams, Keeping
from serving.decisions.records import MICRO
from serving.decisions.state.book import CAP, DAY, SHOWN, add, bounded, micros, seen
from serving.decisions.state.pages import Book, Pages, account_key, campaign_key
from serving.decisions.state.store import Exposure, FeedbackEvent, Flag, Grant, Purpose, Receipt, Reservation
from serving.decisions.state.tally import count, evidence, tally

#: Account, campaign, purpose and opportunity.
Key = tuple[str, str, Purpose, str]

#: Book entries with a value for the current day.
_OF_TODAY = {"total": "today", "held": "held_today", "firm": "firm_today"}


def lasting(params: DecisionParams) -> dict[Purpose, int]:
    """Seconds until a hold is due, by purpose."""
    bid = params.keeping.settles_s
    # Includes the last bid from an allowance.
    return {"bid": bid, "offer": params.retention.valid_s, "allowance": params.keeping.allowance_s + bid}


def reserve(
    asked: Reservation, pages: Pages, hold: Book, killed: str | None, at: float, recent_s: int, expires: float
) -> Grant:
    """Hold the amount in both books, or refuse with a reason.

    Args:
        hold: the book of this reservation's key; empty for a new one.
        killed: why everything is stopped.
        at: the opportunity's clock, limited to the store's.
        expires: when it is due, by the store's clock.
    """
    books = _books(pages, asked.account_id, asked.campaign_id)
    if hold.get("open") or "paid" in hold:
        return _again(asked, hold)
    stopped = killed or books[0].get("killed") or books[1].get("killed")
    if stopped:
        return Grant("refused", 0.0, f"stopped: {stopped}")
    if "daily_limit" not in books[0]:
        return Grant("refused", 0.0, "the campaign is not configured")
    amount = micros(asked.amount)
    day = _roll(books, int(at // DAY))
    for whose, book in zip(("campaign", "account"), books, strict=True):
        if amount > left(book):
            return Grant("refused", 0.0, f"the {whose} has {left(book) / MICRO:.6g} left to spend")
    _open(hold, books, asked, amount, day, expires)
    if asked.purpose == "bid":
        for book in books:
            count(book, "", {"bids": 1}, at, recent_s)
    books[0]["seen_at"] = repr(max(float(books[0].get("seen_at", at)), at))
    return Grant("reserved", amount / MICRO)


def _again(asked: Reservation, hold: Book) -> Grant:
    before = hold.get("target", asked.target)
    if before == asked.target:
        return Grant("again", hold["amount"] / MICRO)
    why = f"opportunity '{asked.opportunity_id}' was used for customer '{before}'"
    return Grant("refused", 0.0, f"{why}: use a new opportunity_id for each customer")


def draw(
    asked: Reservation, pages: Pages, hold: Book, allowance: Book, at: float, recent_s: int, expires: float
) -> Grant:
    """Move money from an allowance to the hold of a bid that drew on it. It is excess where the allowance has ended."""
    books, amount, taken = _books(pages, asked.account_id, asked.campaign_id), micros(asked.amount), 0
    if hold.get("drawn"):
        return Grant("again", amount / MICRO)
    day = _roll(books, int(at // DAY))
    if allowance.get("open"):
        taken, day = min(amount, allowance["amount"]), allowance["day"]
        _move(books, day, held=-taken, firm=-taken)
        allowance["amount"] -= taken
    if not hold.get("open") and "paid" not in hold:
        _open(hold, books, asked, amount, day, expires)
        for book in books:
            add(book, "excess", amount - taken)
            count(book, "", {"bids": 1}, at, recent_s)
    hold["drawn"] = 1
    return Grant("reserved", amount / MICRO)


def left(book: Book) -> int:
    """Money that may still be reserved, in millionths."""
    daily, limit = book.get("daily_limit", ""), book.get("limit", "")
    today = CAP if daily == "" else daily - book.get("today", 0) - book.get("held_today", 0)
    return int(min(today, (CAP if limit == "" else limit) - book.get("total", 0) - book.get("held", 0)))


def settle(key: Key, hold: Book, pages: Pages) -> None:
    """Settle a due hold: charge the held amount of a won bid, release any other."""
    books = _books(pages, key[0], key[1])
    _close(hold, books, key[2], hold["amount"] if hold.get("won") else 0)
    if hold.get("won"):
        _move(books, hold["day"], total=hold["amount"])
        hold.update(paid=hold["amount"], assumed=1)


def expose(asked: Exposure, shown: Book | None, hold: Book, killed: str | None, at: float) -> Grant:
    """Count an exposure, or refuse it with a reason.

    Args:
        shown: the book of what the customer was shown that day; None for an unknown customer.
        hold: the book of this choice; empty for a new one.
        at: as for `reserve`.
    """
    if "shown" in hold:
        return Grant("again", 0.0, hold["shown"])
    if killed:
        return Grant("refused", 0.0, f"stopped: {killed}")
    if shown is not None:
        name = f"{SHOWN}{asked.creative_id}"
        if shown.get(name, 0) >= asked.most:
            return Grant("refused", 0.0, f"the customer was shown '{asked.creative_id}' {asked.most} times today")
        shown[name] = shown.get(name, 0) + 1
    hold.update(shown=asked.creative_id, amount=0, day=int(at // DAY))
    return Grant("reserved", 0.0)


def record(event: FeedbackEvent, pages: Pages, hold: Book, latest: float, keeping: Keeping) -> Receipt:
    """Charge and count an event.

    Args:
        hold: the book of the event's decision; empty where unknown.
        latest: the latest time that a clock may show.
    """
    books, at = _books(pages, event.account_id, event.campaign_id), bounded(event.occurred_at, latest)
    decided_at = at if event.decided_at is None else bounded(event.decided_at, latest)
    if event.kind == "loss":
        if hold.get("open") and not hold.get("won"):
            _close(hold, books, event.purpose, 0)
        return Receipt(True, "conflict" if hold.get("won") or hold.get("paid") else None)
    if "day" not in hold:
        day = int(decided_at // DAY)
        _roll(books, day)
        hold.update(day=day, amount=micros(event.promised))
    flag: Flag | None = None
    if event.cost is not None:
        cost, flag = _charge(event, hold, books)
        tally(event, {"cost": cost}, pages, hold.setdefault("paid_at", at), keeping.recent_s)
        evidence(event, {"cost": cost}, 0.0, pages, decided_at, keeping.rewards_s)
    elif event.purpose == "bid":
        flag = _won(hold, books)
    _count(event, pages, hold, at, decided_at, keeping)
    return Receipt(True, flag)


def redated(hold: Book, now: float, lasts_s: int) -> Book:
    """Day and due time of a hold, where a fast clock set them in the future."""
    return {"day": min(int(hold["day"]), int(now // DAY)), "expires": min(float(hold["expires"]), now + lasts_s)}


def remembered(hold: Book) -> bool:
    """Whether the hold has outcomes, or may have some."""
    return bool(hold.get("open")) or any(name in hold for name in ("paid", "seen", "sold", "refunded", "shown"))


def _charge(event: FeedbackEvent, hold: Book, books: list[Book]) -> tuple[int, Flag | None]:
    """Charge the decision's cost once. Returns the additional charge, and a flag."""
    cost, paid = micros(event.cost or 0.0), hold.get("paid")
    if event.kind == "correction":
        if event.occurred_at < hold.get("corrected_at", 0.0):
            return 0, None
        hold["corrected_at"] = event.occurred_at
    elif paid is not None and not hold.get("assumed"):
        return 0, "conflict" if cost != paid and "corrected_at" not in hold else None
    held = hold["amount"] if hold.get("open") else 0
    if hold.get("open"):
        _close(hold, books, event.purpose, cost)
    _bill(books, hold["day"], cost - (paid or 0), held)
    known = 0 if hold.pop("assumed", 0) else paid or 0
    hold["paid"] = cost
    if cost > hold["amount"] > 0:
        return cost - known, "above"
    return cost - known, "late" if paid is None and not held else None


def _won(hold: Book, books: list[Book]) -> Flag | None:
    """Record a win whose cost is unknown: the held amount will be billed. Where the hold has ended, the promised amount
    is billed until the cost is reported."""
    if hold.get("won") or "paid" in hold or not hold["amount"]:
        return None
    hold["won"] = 1
    if hold.get("open"):
        _move(books, hold["day"], firm=hold["amount"])
        return None
    _bill(books, hold["day"], hold["amount"], 0)
    hold.update(paid=hold["amount"], assumed=1)
    return "late"


def _count(event: FeedbackEvent, pages: Pages, hold: Book, at: float, decided_at: float, keeping: Keeping) -> None:
    """Count the event. Win and billing notices are of one impression; a refund belongs to its conversion."""
    counted = {} if event.kind == "impression" and hold.get("seen") else seen(event)
    if event.kind == "impression":
        hold["seen"] = 1
    tally(event, counted, pages, at, keeping.recent_s)
    if event.kind != "conversion":
        evidence(event, counted, 0.0, pages, decided_at, keeping.rewards_s)
        return
    value, squares = _net(hold)
    if event.value < 0:
        add(hold, "refunded", round(-event.value * MICRO))
    else:
        hold.setdefault("sold", 0)
        add(hold, "sold", round(event.value * MICRO))
        hold["squares"] = hold.get("squares", 0.0) + event.value**2
        hold.setdefault("sold_at", at)
    now_value, now_squares = _net(hold)
    counted = {**counted, "value": now_value - value}
    sold_at = hold.get("sold_at", at) if event.value < 0 else at
    tally(event, {"value": now_value - value}, pages, sold_at, keeping.recent_s)
    evidence(event, counted, now_squares - squares, pages, decided_at, keeping.rewards_s)


def _net(hold: Book) -> tuple[int, float]:
    """The value of a decision's conversions after refunds, in millionths, and the sum of squares, with refunds spread
    evenly. Refunds are capped at the value sold."""
    sold = hold.get("sold", 0)
    net = max(0, sold - hold.get("refunded", 0))
    return net, hold.get("squares", 0.0) * (net / sold) ** 2 if sold else 0.0


def _open(hold: Book, books: list[Book], asked: Reservation, amount: int, day: int, expires: float) -> None:
    hold.update(amount=amount, day=day, target=asked.target, open=1, expires=expires)
    _move(books, day, held=amount, firm=0 if asked.purpose == "bid" else amount)


def _close(hold: Book, books: list[Book], purpose: Purpose, cost: int) -> None:
    """End a hold, and update the average cost of bids."""
    amount, sure = hold["amount"], purpose != "bid" or hold.get("won")
    _move(books, hold["day"], held=-amount, firm=-amount if sure else 0)
    hold["open"] = 0
    if purpose == "bid":
        for book in books:
            add(book, "settled", amount)
            add(book, "settled_cost", min(cost, amount))


def _bill(books: list[Book], day: int, amount: int, held: int) -> None:
    """Bill an amount, or reduce the bill; the part without a hold is excess."""
    _move(books, day, total=amount)
    for book in books:
        add(book, "excess", max(0, amount - held))


def _move(books: list[Book], day: int, **amounts: int) -> None:
    """Add to entries of both books: the totals and, for the current day, today's."""
    for book in books:
        for name, amount in amounts.items():
            add(book, name, amount)
            if book.get("day") == day:
                add(book, _OF_TODAY[name], amount)


def _roll(books: list[Book], day: int) -> int:
    """Begin a new day where due, together with the account's other campaigns. A past day does not come back.

    Earlier cost averages weigh half as much as today's.
    """
    day = max(day, *(book.get("day", -1) for book in books))
    for book in books:
        if day > book.get("day", -1):
            book.update(day=day, **dict.fromkeys(_OF_TODAY.values(), 0))
            book.update({name: book.get(name, 0) // 2 for name in ("settled", "settled_cost")})
    return day


def _books(pages: Pages, account: str, campaign: str) -> list[Book]:
    return [pages[campaign_key(account, campaign)], pages[account_key(account)]]
