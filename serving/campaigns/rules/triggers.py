"""The decision engine's findings as conditions: the same tests, on the counts that a rule sees."""

from datetime import date, datetime

from serving.campaigns.rules.history import AdHistory, history
from serving.campaigns.rules.objects import AccountView, RuleObject
from serving.campaigns.rules.pacing import elapsed
from serving.campaigns.rules.words import DAY
from serving.decisions.case import Case
from serving.decisions.kinds.campaign import Review
from serving.decisions.params import DecisionParams
from serving.decisions.records import Counters, Predictions, Segment, Spend, State, Trigger, WindowedCounters
from serving.decisions.rules import triggers

#: Days before the window that it is compared with.
PAST_DAYS = 28
DAY_S = 86_400


def found(
    view: AccountView,
    one: RuleObject,
    days: tuple[date, date],
    now: datetime,
    params: DecisionParams,
    target_cpc: float | None,
) -> dict[str, Trigger]:
    """What the engine finds of an object, by name.

    Args:
        days: the recent period; it is compared with the weeks before.
        now: in the account's time zone. The engine reads the elapsed share of a day from the clock's own day, so the
            account's local time is told as if it were UTC.
    """
    seen, name = view.history(one), one.place[1]
    today = now.date()
    budget = one.fields.get("daily_budget")
    state = State(
        campaign=Spend(
            today=seen.sum(name, "spend", today, today + DAY), daily_limit=float(budget) if budget else None
        ),
        target_cpc=target_cpc,
        window=_window(seen, name, days),
        account_window=_window(view.histories["account"], "account", days),
        segments={
            dimension: {
                place: Segment(_window(parts, place, days))
                for parts in [history(view.within(one), dimension)]
                for place in parts.places
            }
            for dimension in ("hour", "audience")
        },
    )
    asked = Review("rules", elapsed(now) * DAY_S, "account", name)
    case = Case(asked, Predictions(), state, params, 0)
    return {trigger.name: trigger for trigger in triggers.find(case)}


def _window(seen: AdHistory, place: str, days: tuple[date, date]) -> WindowedCounters:
    start, end = days
    return WindowedCounters(_counters(seen, place, start, end), _counters(seen, place, start - PAST_DAYS * DAY, start))


def _counters(seen: AdHistory, place: str, start: date, end: date) -> Counters:
    impressions, clicks, conversions = (
        round(seen.sum(place, name, start, end)) for name in ("impressions", "clicks", "conversions")
    )
    cost, value = seen.sum(place, "spend", start, end), seen.sum(place, "value", start, end)
    return Counters(0, impressions, clicks, conversions, value, cost)
