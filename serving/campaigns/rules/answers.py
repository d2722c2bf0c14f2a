"""Answers conditions: yes, no, or not yet, each with why.

`not yet` is an answer of its own: too little was seen, the interval is on both sides of the limit, or something is not
known. `all`, `any` and `not` carry it on as three-valued logic does (Kleene, 1938).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from serving.campaigns.rules import triggers
from serving.campaigns.rules.condition import Condition
from serving.campaigns.rules.grammar import AdRule, RuleFile
from serving.campaigns.rules.metrics import RATES, SeenRate
from serving.campaigns.rules.objects import AccountView, RuleObject
from serving.campaigns.rules.pacing import age_days, pacing
from serving.campaigns.rules.words import DAY, Limit
from serving.decisions.params import DecisionParams

Tri = Literal["yes", "no", "not yet"]


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """An answer, and why in one line for people."""

    tri: Tri
    why: str


@dataclass(frozen=True)
class RuleCase:
    """A rule asked of an object. `now` is in the account's time zone."""

    file: RuleFile
    rule: AdRule
    view: AccountView
    one: RuleObject
    now: datetime
    params: DecisionParams | None = None


def answer(asked: RuleCase, one: Condition) -> ConditionAnswer:
    """The answer of a condition."""
    if one.all is not None:
        return _together([answer(asked, part) for part in one.all], "no", "yes")
    if one.any is not None:
        return _together([answer(asked, part) for part in one.any], "yes", "no")
    if one.negated is not None:
        inner = answer(asked, one.negated)
        turned: dict[Tri, Tri] = {"yes": "no", "no": "yes", "not yet": "not yet"}
        return ConditionAnswer(turned[inner.tri], f"not ({inner.why})")
    if one.trigger is not None:
        return _triggered(asked, one, one.trigger)
    if one.field is not None:
        return _field(asked, one, one.field)
    return _rate(asked, one) if one.by_interval else _number(asked, one, str(one.metric))


def _together(parts: list[ConditionAnswer], decides: Tri, otherwise: Tri) -> ConditionAnswer:
    answers, tri = {one.tri for one in parts}, otherwise
    if decides in answers:
        tri = decides
    elif "not yet" in answers:
        tri = "not yet"
    shown = [one.why for one in parts if one.tri == tri]
    return ConditionAnswer(tri, "; ".join(shown))


def _triggered(asked: RuleCase, one: Condition, name: str) -> ConditionAnswer:
    if asked.params is None:
        return ConditionAnswer("not yet", f"{name}: unknown: the engine's parameters were not given (--params)")
    days = one.window.days(asked.now.date())
    found = triggers.found(asked.view, asked.one, days, asked.now, asked.params, asked.file.targets.get("cpc"))
    if name not in found:
        return ConditionAnswer("no", f"{name}: not found in {one.window.text}")
    told = found[name]
    chance = f", by chance {told.chance:.2g}" if told.chance else ""
    return ConditionAnswer("yes", f"{name}: {told.statistic:.3g} beyond {told.threshold:g}{chance}")


def _field(asked: RuleCase, one: Condition, name: str) -> ConditionAnswer:
    value = asked.one.fields.get(name)
    if name == "age_days":
        value = age_days(asked.one, asked.view.history(asked.one), asked.now)
    if value is None:
        return ConditionAnswer("not yet", f"{name}: unknown")
    return _compared(name, value, *one.operator)


def _number(asked: RuleCase, one: Condition, name: str) -> ConditionAnswer:
    """A metric by its value alone."""
    seen, today = asked.view.history(asked.one), asked.now.date()
    days = one.window.days(today)
    if name == "pacing":
        value, why = pacing(asked.one, seen, asked.now, one.window.text == "yesterday")
        if value is None:
            return ConditionAnswer("not yet", f"pacing: {why}")
    elif name == "days":
        value = float((seen.daily(asked.one.place[1], "impressions", *days) > 0).sum())
    elif name in RATES:
        value = seen.seen(asked.one.place[1], name, *days).value
        if value is None:
            return ConditionAnswer("not yet", f"{name}: unknown: nothing was seen in {one.window.text}")
    else:
        value = seen.sum(asked.one.place[1], name, *days)
    operator, given = one.operator
    if isinstance(given, Limit):
        given = _limit(asked, one, given)
    return _compared(f"{name} {one.window.text}", value, operator, given)


def _limit(asked: RuleCase, one: Condition, limit: Limit) -> float:
    """The number to compare with."""
    if limit.value is not None:
        return limit.value
    if limit.before is None:
        return limit.times * asked.file.targets[str(one.metric)]
    start, _ = one.window.days(asked.now.date())
    before = asked.view.history(asked.one).seen(asked.one.place[1], str(one.metric), start - limit.before * DAY, start)
    return limit.times * (before.value or 0.0)


def _rate(asked: RuleCase, one: Condition) -> ConditionAnswer:
    """A rate by its interval, once enough was seen."""
    metric, (start, end) = str(one.metric), one.window.days(asked.now.date())
    history, name = asked.view.history(asked.one), asked.one.place[1]
    seen = history.seen(name, metric, start, end)
    operator, given = one.operator
    if isinstance(given, Limit) and given.before:
        before = history.seen(name, metric, start - given.before * DAY, start)
        return _against(asked, one, seen, before)
    ends = given if isinstance(given, tuple) else (_limit(asked, one, given),)
    too_few = _too_few(asked.rule, seen, max(seen.at_limit(end) for end in ends))
    if too_few:
        return ConditionAnswer("not yet", f"{metric}: {too_few}")
    low, high = seen.interval(asked.rule.chance_a_look)
    what = f"{metric} {one.window.text} {_text(seen.value)} [{low:.4g} to {high:.4g}]"
    return _sided(what, low, high, operator, ends)


def _sided(what: str, low: float, high: float, operator: str, ends: tuple[float, ...]) -> ConditionAnswer:
    """Where the interval is: on one side of the limit, or on both."""
    least, most = ends[0], ends[-1]
    inside, beyond = low >= least and high <= most, high < least or low > most
    sure = {"above": low > most, "below": high < least, "between": inside, "outside": beyond}
    never = {"above": high <= most, "below": low >= least, "between": beyond, "outside": inside}
    said = f"{operator} {' and '.join(f'{end:g}' for end in ends)}"
    if sure[operator]:
        return ConditionAnswer("yes", f"{what} is {said}")
    if never[operator]:
        return ConditionAnswer("no", f"{what} is not {said}")
    return ConditionAnswer("not yet", f"{what} is not surely {said}")


def _against(asked: RuleCase, one: Condition, seen: SeenRate, before: SeenRate) -> ConditionAnswer:
    """A rate against what it was."""
    operator, limit = one.operator
    above = operator == "above"
    usual = before.value
    expected = seen.at_limit(limit.times * usual) if usual else 0.0
    too_few = _too_few(asked.rule, seen, expected) or _too_few(asked.rule, before, 0.0)
    if too_few:
        return ConditionAnswer("not yet", f"{one.metric}: {too_few}")
    by_chance = seen.beyond(before, limit.times, above)
    what = f"{one.metric} {one.window.text} {_text(seen.value)}, before {_text(usual)}"
    said = f"{operator} {limit.times:g} times that (p {by_chance:.2g})"
    if by_chance < asked.rule.chance_a_look:
        return ConditionAnswer("yes", f"{what}: {said}")
    return ConditionAnswer(
        "no" if by_chance > 1 - asked.rule.chance_a_look else "not yet", f"{what}: not surely {said}"
    )


def _too_few(rule: AdRule, seen: SeenRate, expected: float) -> str:
    """What is missing until the rate is judged; empty where enough was seen, or should have been at the limit."""
    needed = getattr(rule.evidence, seen.metric.events)
    if max(seen.events, expected) >= needed:
        return ""
    return f"not yet, {seen.events:g} {seen.metric.events} (of {needed})"


#: Operators of values; texts are compared without their case.
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "above": lambda value, given: value > given,
    "below": lambda value, given: value < given,
    "is": lambda value, given: value == given,
    "is_not": lambda value, given: value != given,
    "between": lambda value, given: given[0] <= value <= given[1],
    "outside": lambda value, given: not given[0] <= value <= given[1],
    "one_of": lambda value, given: value in given,
    "not_one_of": lambda value, given: value not in given,
    "contains": lambda value, given: given in value,
    "contains_not": lambda value, given: given not in value,
    "has_any": lambda value, given: any(one in value for one in given),
    "has_all": lambda value, given: all(one in value for one in given),
    "has_none": lambda value, given: not any(one in value for one in given),
}


def _compared(name: str, value: Any, operator: str, given: Any) -> ConditionAnswer:
    limit = given.value if isinstance(given, Limit) else given
    numeric = operator in ("above", "below", "between", "outside")
    if numeric and not isinstance(value, int | float):
        return ConditionAnswer("not yet", f"{name}: expected a number to compare, got {_text(value)}")
    if operator.startswith(("has_", "contains")) and not isinstance(value, str | list):
        return ConditionAnswer("not yet", f"{name}: expected a text or list to compare, got {_text(value)}")
    if operator.startswith("has_") and isinstance(value, str):
        value = [value]
    holds = _HOLDS[operator](_folded(value), _folded(limit))
    said = f"{name} {_text(value)} {_SAID[operator][not holds]} {_text(limit)}"
    return ConditionAnswer("yes" if holds else "no", said)


#: How people read an operator that holds, and one that does not.
_SAID = {
    **{word: (f"is {word}", f"is not {word}") for word in ("above", "below", "between", "outside")},
    "is": ("is", "is not"),
    "is_not": ("is not", "is"),
    "one_of": ("is one of", "is none of"),
    "not_one_of": ("is none of", "is one of"),
    "contains": ("contains", "does not contain"),
    "contains_not": ("does not contain", "contains"),
    "has_any": ("has one of", "has none of"),
    "has_all": ("has all of", "has not all of"),
    "has_none": ("has none of", "has one of"),
}


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return [_folded(one) for one in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
