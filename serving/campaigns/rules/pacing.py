"""Pacing: what was spent, as a share of what was to be spent by now."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from serving.campaigns.rules.history import AdHistory
from serving.campaigns.rules.objects import RuleObject
from serving.campaigns.rules.words import DAY

#: Share of a day before which today's spend tells nothing.
LEAST = 1 / 24


def pacing(one: RuleObject, seen: AdHistory, now: datetime, yesterday: bool) -> tuple[float | None, str]:
    """The pacing of a campaign or ad group, or None and why it is unknown.

    A daily budget is to be spent evenly over the day; a total budget evenly from `starts_at` to `ends_at`, the last
    day included.

    Args:
        now: in the account's time zone.
        yesterday: of the whole day before, for a daily budget.
    """
    name, today = one.place[1], now.date()
    begins = starts(one, seen, now)
    if begins is None or begins.date() >= today:
        return None, "unknown: the first day is not over"
    if one.fields.get("assumed"):
        return None, "unknown: the budgets of the past are not known"
    daily, total = one.fields.get("daily_budget"), one.fields.get("total_budget")
    if daily:
        return _daily(
            seen.sum(name, "spend", today, today + DAY),
            seen.sum(name, "spend", today - DAY, today),
            float(daily),
            now,
            yesterday,
        )
    if total:
        return _total(one, seen.sum(name, "spend", date.min, today + DAY), float(total), begins, now)
    return None, "unknown: no budget is known"


def _daily(today: float, before: float, budget: float, now: datetime, yesterday: bool) -> tuple[float | None, str]:
    if yesterday:
        return before / budget, f"{before:g} of {budget:g} were spent yesterday"
    gone = elapsed(now)
    if gone < LEAST:
        return None, "unknown: the day has just begun"
    return today / (budget * gone), f"{today:g} of {budget:g} are spent with {gone:.0%} of the day over"


def _total(one: RuleObject, spent: float, budget: float, begins: datetime, now: datetime) -> tuple[float | None, str]:
    ends = moment(one.fields.get("ends_at"), now.tzinfo)
    if ends is None:
        return None, "unknown: a total budget without an end"
    if now >= ends:
        return None, "unknown: it has ended"
    gone = (now - begins) / (ends - begins)
    return spent / (budget * gone), f"{spent:g} of {budget:g} are spent with {gone:.0%} of the time over"


def elapsed(now: datetime) -> float:
    """The share of the local day that is over; days on which clocks change are shorter or longer."""
    begin = datetime.combine(now.date(), time(), now.tzinfo)
    end = datetime.combine(now.date() + DAY, time(), now.tzinfo)
    return (now.timestamp() - begin.timestamp()) / (end.timestamp() - begin.timestamp())


def starts(one: RuleObject, seen: AdHistory, now: datetime) -> datetime | None:
    """When it began: as told, or on the first day with impressions."""
    told = moment(one.fields.get("starts_at"), now.tzinfo)
    if told is not None:
        return told
    began = seen.began(one.place[1])
    return datetime.combine(began, time(), now.tzinfo) if began else None


def moment(text: object, zone: object) -> datetime | None:
    """A time of a field, in the account's zone; UTC where it names none. A date as the end is the end of that day."""
    if not isinstance(text, str) or not text or not isinstance(zone, ZoneInfo):
        return None
    found = datetime.fromisoformat(text)
    if len(text) == len("2026-01-01"):
        return found.replace(tzinfo=zone)
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo("UTC"))).astimezone(zone)


def age_days(one: RuleObject, seen: AdHistory, now: datetime) -> float | None:
    """Days since it began."""
    begins = starts(one, seen, now)
    return (now - begins) / timedelta(days=1) if begins else None
