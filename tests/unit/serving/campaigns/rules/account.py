"""Small accounts and files of rules, for tests."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from features.ad_days import COUNTS, KEYS
from features.yaml_file import fields, parsed
from serving.campaigns.rules.evaluate import due, evaluate
from serving.campaigns.rules.grammar import RuleFile
from serving.campaigns.rules.look import Evaluation, RuleMemory
from serving.campaigns.rules.objects import AccountView, Place, RuleObject, view

#: A Monday morning, and the day before the last one that is counted.
TODAY = date(2026, 6, 15)
NOTHING = RuleMemory()
NOW = datetime(2026, 6, 15, 12, tzinfo=ZoneInfo("UTC"))
HEAD = "account: {platform: meta, id: act_1}\n"


def rule_file(rules: str, head: str = "") -> RuleFile:
    """A file of these rules."""
    text = HEAD + head + "rules:\n" + rules
    return parsed(RuleFile, *fields(text.encode(), "rules.yaml"), "rules.yaml")


def days(campaign: str, count: int = 28, until: date = TODAY, **each: float) -> list[dict[str, Any]]:
    """The same counts on each of the days before `until`."""
    return [{"day": until - timedelta(days=back), "campaign_id": campaign, **each} for back in range(count, 0, -1)]


def counts(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as `features.ad_days.read` has them."""
    frame = pd.DataFrame(list(rows), columns=["day", *KEYS, *COUNTS])
    frame["day"] = pd.to_datetime(frame["day"])
    frame[list(COUNTS)] = frame[list(COUNTS)].astype(float).fillna(0.0)
    return frame.astype(dict.fromkeys(KEYS, object))


def account(rows: Iterable[Mapping[str, Any]], *objects: RuleObject) -> AccountView:
    """An account with these rows and objects."""
    return view({one.place: one for one in objects}, counts(rows))


def campaign(name: str = "c", held: str = "", **fields: Any) -> RuleObject:
    """A live campaign with a daily budget of 100."""
    return RuleObject(("campaign", name), {"status": "live", "daily_budget": 100.0, **fields}, held=held)


def looked(file: RuleFile, seen: AccountView, memory: RuleMemory = NOTHING, now: datetime = NOW) -> Evaluation:
    """One look at all rules that are due."""
    return evaluate(file, seen, memory, now, due(file, now))


def wanted(found: Evaluation) -> dict[Place, dict[str, Any]]:
    """The wanted fields by object."""
    return {(one.object, one.target): dict(one.fields) for one in found.changes}


EXAMPLE = Path(__file__).parents[5] / "serving/campaigns/rules/example.yaml"
