"""The money: what is held and billed, in a transaction of the embedded store. `scripts.py` says it in Redis's language.

What holds at every moment, in any order of events, told late, twice, by several workers, over restarts:

1.  For every campaign and every account, for the day that is on and in all: billed + held <= limit + excess. The excess
    is what was billed without having been held: a cost that came when nothing was held any more, or above what was. It
    is flagged, and stops further bids like all that is billed.
2.  A decision is charged once: the first cost that is told of it, whatever event tells it. Another one is not added,
    and flagged; only a `correction` replaces it, the one that occurred last.
3.  What is held for a decision is held until its cost is known, a loss is told, or its time to be settled has come. A
    bid that is known to be won is then billed what was held, until its cost is told; of any other the hold ends.
4.  What is held and billed belongs to the day on which it was decided. A day that was left does not come back.
5.  A hold belongs to an account, a campaign, a purpose and an opportunity: another campaign's is another hold.

A hold is kept as a book of its own: `amount` and `day`, `open` while it counts as held; `won`; `paid` once something
was charged (`assumed` while nobody has told how much); what was `sold` and `refunded`. It is forgotten when nothing
came of it; else it is remembered for as long as its decision is.
"""

from serving.decisions.params import DecisionParams
from serving.decisions.records import MICRO
from serving.decisions.state.book import CAP, DAY, add, bounded, micros, seen
from serving.decisions.state.pages import Book, Pages, account_key, campaign_key
from serving.decisions.state.store import FeedbackEvent, Flag, Grant, Purpose, Receipt, Reservation
from serving.decisions.state.tally import count, evidence, tally

#: Account, campaign, purpose and opportunity.
Key = tuple[str, str, Purpose, str]

#: Entries of a book that have a part of the day that is on.
_OF_TODAY = {"total": "today", "held": "held_today", "firm": "firm_today"}


def lasting(params: DecisionParams) -> dict[Purpose, int]:
    """Seconds until a hold is settled, by its purpose."""
    bid = params.keeping.settles_s
    # The last bid from an allowance is covered like any other.
    return {"bid": bid, "offer": params.retention.valid_s, "allowance": params.keeping.allowance_s + bid}


def reserve(
    asked: Reservation, pages: Pages, hold: Book, killed: str | None, at: float, recent_s: int, expires: float
) -> Grant:
    """Hold the amount in both books, or say why not.

    Args:
        hold: of this reservation's key; empty where there is none.
        killed: why everything is stopped.
        at: the opportunity's clock, already kept from running ahead.
        expires: when it is settled, by the store's clock.
    """
    books = _books(pages, asked.account_id, asked.campaign_id)
    if hold.get("open") or "paid" in hold:
        return _again(asked, hold)
    stopped = killed or books[0].get("killed") or books[1].get("killed")
    if stopped:
        return Grant("refused", 0.0, f"stopped: {stopped}")
    if "daily_limit" not in books[0]:
        return Grant("refused", 0.0, "nobody configured this campaign")
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
    why = f"opportunity '{asked.opportunity_id}' was asked for customer '{before}' before"
    return Grant("refused", 0.0, f"{why}: give each its own opportunity_id")


def draw(
    asked: Reservation, pages: Pages, hold: Book, allowance: Book, at: float, recent_s: int, expires: float
) -> Grant:
    """Hold for a bid what was held in an allowance that it was placed from. Where that has ended, it is excess."""
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
    """What may still be promised, in millionths."""
    daily, limit = book.get("daily_limit", ""), book.get("limit", "")
    today = CAP if daily == "" else daily - book.get("today", 0) - book.get("held_today", 0)
    return int(min(today, (CAP if limit == "" else limit) - book.get("total", 0) - book.get("held", 0)))


def settle(key: Key, hold: Book, pages: Pages) -> None:
    """Its time has come: a bid that was won is charged what was held, of any other the hold ends."""
    books = _books(pages, key[0], key[1])
    _close(hold, books, key[2], hold["amount"] if hold.get("won") else 0)
    if hold.get("won"):
        _move(books, hold["day"], total=hold["amount"])
        hold.update(paid=hold["amount"], assumed=1)


def record(event: FeedbackEvent, pages: Pages, hold: Book, latest: float, recent_s: int) -> Receipt:
    """Charge and count what an event tells.

    Args:
        hold: of the event's decision; empty where nothing is known of it.
        latest: the latest time that a clock may show.
    """
    books, at = _books(pages, event.account_id, event.campaign_id), bounded(event.occurred_at, latest)
    if event.kind == "loss":
        if hold.get("open") and not hold.get("won"):
            _close(hold, books, event.purpose, 0)
        return Receipt(True, "conflict" if hold.get("won") or hold.get("paid") else None)
    if "day" not in hold:
        day = int((at if event.decided_at is None else bounded(event.decided_at, latest)) // DAY)
        _roll(books, day)
        hold.update(day=day, amount=micros(event.promised))
    flag: Flag | None = None
    if event.cost is not None:
        cost, flag = _charge(event, hold, books)
        tally(event, {"cost": cost}, pages, hold.setdefault("paid_at", at), recent_s)
        evidence(event, {"cost": cost}, 0.0, pages)
    elif event.purpose == "bid":
        flag = _won(hold, books)
    _count(event, pages, hold, at, recent_s)
    return Receipt(True, flag)


def redated(hold: Book, now: float, lasts_s: int) -> Book:
    """The day and the end of a hold, where a clock that ran ahead set them later than they can be."""
    return {"day": min(int(hold["day"]), int(now // DAY)), "expires": min(float(hold["expires"]), now + lasts_s)}


def remembered(hold: Book) -> bool:
    """Whether something came of it, or may."""
    return bool(hold.get("open")) or any(name in hold for name in ("paid", "seen", "sold", "refunded"))


def _charge(event: FeedbackEvent, hold: Book, books: list[Book]) -> tuple[int, Flag | None]:
    """Charge the decision's cost, once. How much more is known to be paid now, and what is strange about it."""
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
    """A bid is known to be won, and not yet at what cost: what is held of it will be paid. Where nothing is held of it
    any more, what was promised is billed, until its cost is told."""
    if hold.get("won") or "paid" in hold or not hold["amount"]:
        return None
    hold["won"] = 1
    if hold.get("open"):
        _move(books, hold["day"], firm=hold["amount"])
        return None
    _bill(books, hold["day"], hold["amount"], 0)
    hold.update(paid=hold["amount"], assumed=1)
    return "late"


def _count(event: FeedbackEvent, pages: Pages, hold: Book, at: float, recent_s: int) -> None:
    """Count the event. Notices of winning and of billing are of one impression; a refund belongs to its conversion."""
    counted = {} if event.kind == "impression" and hold.get("seen") else seen(event)
    if event.kind == "impression":
        hold["seen"] = 1
    tally(event, counted, pages, at, recent_s)
    if event.kind != "conversion":
        evidence(event, counted, 0.0, pages)
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
    tally(event, {"value": now_value - value}, pages, hold.get("sold_at", at) if event.value < 0 else at, recent_s)
    evidence(event, counted, now_squares - squares, pages)


def _net(hold: Book) -> tuple[int, float]:
    """The value of the conversions of a decision after refunds, in millionths, and the sum of the squares of each, as
    if each had been refunded alike. More is not refunded than was sold."""
    sold = hold.get("sold", 0)
    net = max(0, sold - hold.get("refunded", 0))
    return net, hold.get("squares", 0.0) * (net / sold) ** 2 if sold else 0.0


def _open(hold: Book, books: list[Book], asked: Reservation, amount: int, day: int, expires: float) -> None:
    hold.update(amount=amount, day=day, target=asked.target, open=1, expires=expires)
    _move(books, day, held=amount, firm=0 if asked.purpose == "bid" else amount)


def _close(hold: Book, books: list[Book], purpose: Purpose, cost: int) -> None:
    """End a hold, and learn from it what bids cost in the end."""
    amount, sure = hold["amount"], purpose != "bid" or hold.get("won")
    _move(books, hold["day"], held=-amount, firm=-amount if sure else 0)
    hold["open"] = 0
    if purpose == "bid":
        for book in books:
            add(book, "settled", amount)
            add(book, "settled_cost", min(cost, amount))


def _bill(books: list[Book], day: int, amount: int, held: int) -> None:
    """Book what was spent, or what of it was not; what was not held for it is excess."""
    _move(books, day, total=amount)
    for book in books:
        add(book, "excess", max(0, amount - held))


def _move(books: list[Book], day: int, **amounts: int) -> None:
    """Add to entries of both books, in all and, where it is of the day that is on, of today."""
    for book in books:
        for name, amount in amounts.items():
            add(book, name, amount)
            if book.get("day") == day:
                add(book, _OF_TODAY[name], amount)


def _roll(books: list[Book], day: int) -> int:
    """Begin a new day, if it is one, with the account's other campaigns. A day that was left does not come back.

    What was learnt of costs weighs half as much as what is learnt today.
    """
    day = max(day, *(book.get("day", -1) for book in books))
    for book in books:
        if day > book.get("day", -1):
            book.update(day=day, **dict.fromkeys(_OF_TODAY.values(), 0))
            book.update({name: book.get(name, 0) // 2 for name in ("settled", "settled_cost")})
    return day


def _books(pages: Pages, account: str, campaign: str) -> list[Book]:
    return [pages[campaign_key(account, campaign)], pages[account_key(account)]]
