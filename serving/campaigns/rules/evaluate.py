"""One look at the account: from rules and counts to verdicts, and from those to changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from serving.campaigns.rules import caps
from serving.campaigns.rules.answers import ConditionAnswer, RuleCase, answer
from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.carry_out import carry_out
from serving.campaigns.rules.grammar import AdRule, RuleFile
from serving.campaigns.rules.look import Evaluation, RuleMemory, RuleVerdict, told
from serving.campaigns.rules.objects import AccountView, RuleObject
from serving.campaigns.rules.priority import RuleClaim
from serving.campaigns.rules.wishes import Wish, wanted
from serving.decisions.params import DecisionParams


def due(file: RuleFile, now: datetime) -> dict[str, str]:
    """The half hour in which each rule was due last, in UTC. `now` is in the account's time zone."""
    slots = {rule.name: rule.schedule.slot(now) for rule in file.rules}
    return {
        name: f"{slot.replace(tzinfo=file.zone).astimezone(UTC):%Y-%m-%dT%H:%MZ}"
        for name, slot in slots.items()
        if slot is not None
    }


def evaluate(
    file: RuleFile,
    view: AccountView,
    memory: RuleMemory,
    now: datetime,
    slots: Mapping[str, str],
    params: DecisionParams | None = None,
) -> Evaluation:
    """Look at the rules of `slots`.

    Args:
        now: in the account's time zone.
        params: of the decision engine, for its triggers.
    """
    found, claims = Evaluation(dict(slots)), list[RuleClaim]()
    verdicts = dict[int, tuple[RuleCase, RuleVerdict]]()
    for place, rule in enumerate(file.rules):
        if rule.name not in slots:
            continue
        for one in _objects(view, rule):
            asked = RuleCase(file, rule, view, one, now, params)
            told = _answer(asked)
            verdict = RuleVerdict(rule.name, slots[rule.name], one.place, told.tri, told.why)
            if told.tri != "yes":
                found.verdicts.append(_dropped(verdict, memory))
                continue
            mine, cannot = _claims(asked, place, memory)
            verdicts |= {id(claim): (asked, verdict) for claim in mine}
            claims += mine
            found.verdicts.append(replace(verdict, done=cannot))
    carry_out(found, claims, verdicts, memory)
    _tell(file, found, memory, now.timestamp())
    return found


def _objects(view: AccountView, rule: AdRule) -> list[RuleObject]:
    only, found = rule.only, view.of(rule.level)
    if only.ids:
        found = [one for one in found if one.place[1] in only.ids]
    if only.campaigns:
        of = ((one, view.campaign_of(one)) for one in found)
        found = [one for one, campaign in of if campaign is not None and campaign.place[1] in only.campaigns]
    return found


def _answer(asked: RuleCase) -> ConditionAnswer:
    """The rule's answer; a paused object raises nothing but to be resumed."""
    status = asked.view.status(asked.one)
    if asked.rule.resumes:
        own = asked.one.fields.get("status")
        return answer(asked, asked.rule.when) if own == "paused" else ConditionAnswer("no", "is not paused")
    return answer(asked, asked.rule.when) if status == "live" else ConditionAnswer("no", f"is {status}: raises nothing")


def _dropped(verdict: RuleVerdict, memory: RuleMemory) -> RuleVerdict:
    """A queued rest is dropped once its condition does not hold any more."""
    queued = [key for key in memory.queue if key[0] == verdict.rule and key[1] == verdict.place]
    return replace(verdict, done=tuple(f"{key[2]}: the queued rest is dropped" for key in queued))


def _claims(asked: RuleCase, place: int, memory: RuleMemory) -> tuple[list[RuleClaim], tuple[str, ...]]:
    """What the rule's actions want, and why others can do nothing. A queued value is wanted before anything new."""
    claims, cannot = list[RuleClaim](), list[str]()
    for act in asked.rule.then:
        want = wanted(asked, act)
        wishes = tuple(_queued(asked.rule, wish, memory) for wish in want.wishes)
        if want.cannot:
            cannot.append(want.cannot)
        if wishes:
            claims.append(RuleClaim(asked.rule, place, wishes))
    return claims, tuple(cannot)


def _queued(rule: AdRule, wish: Wish, memory: RuleMemory) -> Wish:
    rest = memory.queue.get((rule.name, *wish.key))
    return wish if rest is None or wish.bounded else replace(wish, value=rest)


def _tell(file: RuleFile, found: Evaluation, memory: RuleMemory, now: float) -> None:
    """Tell people and endpoints of what holds, again only after the cool-down."""
    rules = {rule.name: rule for rule in file.rules}
    for verdict in found.verdicts:
        rule = rules[verdict.rule]
        past = memory.past.get((verdict.place, told(rule.name)), Past())
        if verdict.tri != "yes" or caps.cooling(past, file.limits_of(rule), now):
            continue
        found.notices += [(act.notify or rule.name, verdict) for act in rule.then if act.notify is not None]
        found.pings += [(act.ping, verdict) for act in rule.then if act.ping is not None]
