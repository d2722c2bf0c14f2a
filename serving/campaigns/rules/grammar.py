"""What a file of rules may say: levels, schedules and actions of Meta's rule engine in words, and besides evidence,
priority, caps and cool-downs."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from features.time_zones import time_zones
from features.yaml_file import parsed, read
from serving.campaigns.rules.condition import Condition, conditions
from serving.campaigns.rules.metrics import EXACT, RATES
from serving.campaigns.rules.words import STRICT, Days, DayWindow, LookSchedule, Percent, Seconds, Signed, When
from serving.campaigns.rules.words import known as one_of_known
from serving.campaigns.values import PageUrl

Level = Literal["account", "campaign", "ad_group", "ad", "keyword"]
Dimension = Literal["campaign", "ad_group", "ad", "channel", "audience", "hour"]


class Amount(BaseModel):
    """A budget or bid that is wanted: `set` it, or `change` it; never beyond `at_least` and `at_most`.

    Attributes:
        of: `campaign` changes the budget of the campaign that the object is in.
    """

    model_config = STRICT
    set: PositiveFloat | None = None
    change: Signed | None = None
    at_least: PositiveFloat | None = None
    at_most: PositiveFloat | None = None
    of: Literal["campaign"] | None = None

    @model_validator(mode="after")
    def _either(self) -> "Amount":
        if (self.set is None) == (self.change is None):
            raise ValueError("expected either set or change")
        if self.at_least and self.at_most and self.at_least > self.at_most:
            raise ValueError(f"at_least: expected at most at_most ({self.at_most:g}), got {self.at_least:g}")
        return self

    def wanted(self, amount: float) -> float:
        """The amount that is wanted, in cents, where it is `amount` now. A limit never turns a cut into a raise."""
        least, most = self.at_least or 0.0, self.at_most or float("inf")
        if self.change is None:
            return min(max(self.set or amount, least), most)
        asked = round(self.change.of(amount), 2)
        return max(asked, min(least, amount)) if asked < amount else min(asked, max(most, amount))


class Rebalance(BaseModel):
    """Budget moves to the place whose value per spend is surely the highest; its sum stays.

    Attributes:
        by: what counts as value.
        step: the largest share of a place's budget that it gives or gets at once.
        keep: a place keeps this share of an equal part, so that it can recover.
    """

    model_config = STRICT
    between: Dimension
    by: Literal["conversions", "value"] = "conversions"
    over: Days = DayWindow("last 28 days")
    step: Percent = 0.1
    keep: Percent = 0.2


class Act(BaseModel):
    """One action. `pause`, `resume`, `rotate` and `notify` may be written as a word alone."""

    model_config = STRICT
    notify: str | None = None
    pause: Literal[True] | None = None
    resume: Literal[True] | None = None
    rotate: Literal[True] | None = None
    budget: Amount | None = None
    bid: Amount | None = None
    rebalance: Rebalance | None = None
    ping: Annotated[PageUrl, Field(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])")] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Act":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"expected one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def kind(self) -> str:
        """Which action it is."""
        return next(iter(self.model_fields_set))


def _act(given: object) -> object:
    if isinstance(given, str):
        return {given: "" if given == "notify" else True}
    return given


class RuleLimits(BaseModel):
    """How fast anything may change.

    Attributes:
        step: largest change of a budget or bid at once; the rest is queued.
        day: largest change since the account's day began.
        cooldown: time after a change of a field in which it is not changed again.
    """

    model_config = STRICT
    step: Percent = 0.2
    day: Percent = 0.4
    cooldown: Seconds = 86_400.0


class LeastEvidence(BaseModel):
    """What must have been seen, or should have been at the limit, before a rate is judged: events of its kind."""

    model_config = STRICT
    conversions: PositiveInt = 10
    clicks: PositiveInt = 30
    impressions: PositiveInt = 1000


class RuleScope(BaseModel):
    """Objects that a rule looks at; all of the level by default."""

    model_config = STRICT
    ids: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()


#: Levels that have what an action changes.
_HAS = {
    "budget": ("campaign", "ad_group"),
    "bid": ("ad_group", "ad", "keyword"),
    "pause": ("campaign", "ad_group", "ad", "keyword"),
    "resume": ("campaign", "ad_group", "ad", "keyword"),
    "rotate": ("campaign", "ad_group"),
}
_BELOW: dict[str, tuple[str, ...]] = {
    "account": ("campaign",),
    "campaign": ("ad_group", "ad", "channel", "audience", "hour"),
    "ad_group": ("ad", "audience"),
}


class AdRule(BaseModel):
    """A rule: where `when` holds for an object of the `level`, `then` is done.

    Attributes:
        priority: the higher one wins where two rules oppose.
        chance: probability, an object and day, that any of its intervals is on the wrong side of its limit.
    """

    model_config = STRICT
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
    level: Level
    when: Condition
    then: tuple[Annotated[Act, BeforeValidator(_act)], ...] = Field(min_length=1)
    only: RuleScope = RuleScope()
    schedule: When = LookSchedule.model_validate({"spans": [{"from": "00:00"}]})
    priority: int = 0
    evidence: LeastEvidence = LeastEvidence()
    chance: Annotated[float, Field(gt=0, le=0.2)] = 0.001
    limits: RuleLimits | None = None

    @model_validator(mode="after")
    def _possible(self) -> "AdRule":
        for act in self.then:
            of_campaign = act.kind == "budget" and act.budget is not None and act.budget.of == "campaign"
            if self.level not in _HAS.get(act.kind, (self.level,)) and not of_campaign:
                raise ValueError(f"then: {act.kind}: expected the level {', '.join(_HAS[act.kind])}, got {self.level}")
            if act.rebalance and act.rebalance.between not in _BELOW.get(self.level, ()):
                able = "; ".join(f"{level}: {', '.join(places)}" for level, places in _BELOW.items())
                raise ValueError(f"then: rebalance: between: expected by level {able}, got {act.rebalance.between}")
        if {"pause", "resume"} <= {act.kind for act in self.then}:
            raise ValueError("then: expected either pause or resume")
        return self

    @cached_property
    def chance_a_look(self) -> float:
        """Probability of a wrong answer of one interval in one look, so that all of a day together keep `chance`."""
        intervals = sum(one.by_interval for one in conditions(self.when) if one.metric)
        return self.chance / max(1.0, self.schedule.looks) / max(1, intervals)

    @property
    def resumes(self) -> bool:
        """Whether it is about paused objects."""
        return any(act.resume for act in self.then)


def _zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError(f"expected a time zone such as Europe/Berlin, got '{name}'")
    return name


class RuleAccount(BaseModel):
    """The platform's account that the rules run."""

    model_config = STRICT
    platform: Annotated[str, Field(min_length=1)]
    id: Annotated[str, Field(min_length=1)]
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class RuleFile(BaseModel):
    """A file of rules.

    Attributes:
        targets: what a metric should be, for limits `of: target`; of `cpa` also what a conversion is worth.
        changes_a_day: most changes of all rules in a day of the account.
    """

    model_config = STRICT
    account: RuleAccount
    targets: dict[Annotated[str, one_of_known("metric", lambda: (*EXACT, *RATES))], PositiveFloat] = {}
    limits: RuleLimits = RuleLimits()
    changes_a_day: PositiveInt = 50
    rules: tuple[AdRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> "RuleFile":
        names = [rule.name for rule in self.rules]
        for place, rule in enumerate(self.rules):
            if rule.name in names[:place]:
                raise ValueError(f"rules.{place}.name: expected each name once, got '{rule.name}' again")
            for one in conditions(rule.when):
                limit = one.above or one.below
                if limit and limit.of == "target" and one.metric not in self.targets:
                    raise ValueError(f"rules.{place}.when: {one.metric}: expected a target of it under targets")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return ZoneInfo(self.account.zone)

    def limits_of(self, rule: AdRule) -> RuleLimits:
        """A rule's own limits, or those of the file."""
        return rule.limits or self.limits


def load(path: Path) -> RuleFile:
    """The rules of a file. Raises `InvalidFile` naming file, line and field."""
    found, lines = read(path)
    return parsed(RuleFile, found, lines, path.name)
