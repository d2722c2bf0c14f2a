"""Files of rules: what they may say, and errors that name file, line and field."""

import json
from pathlib import Path

import pytest

from features.yaml_file import InvalidFile
from serving.campaigns.rules.condition import OPERATORS, Condition
from serving.campaigns.rules.grammar import load
from tests.unit.serving.campaigns.rules.account import EXAMPLE, HEAD, rule_file

RULE = """
  - name: one
    level: campaign
    when: {metric: cpa, above: 40}
    then: [pause]
"""


def test_the_example_is_a_file_of_rules() -> None:
    assert [rule.name for rule in load(EXAMPLE).rules][:2] == ["stop-dear-ads", "cut-dear-campaigns"]


@pytest.mark.parametrize("meta", OPERATORS)
def test_every_operator_of_metas_engine_has_a_word(meta: str) -> None:
    word, value = OPERATORS[meta], {"IN_RANGE": [1, 2], "NOT_IN_RANGE": [1, 2]}
    lists = ("IN", "NOT_IN", "ANY", "ALL", "NONE")
    given = value.get(meta) or (["a"] if meta in lists else "a" if "CONTAIN" in meta else 1)
    one = Condition.model_validate_json(json.dumps({"field": "daily_budget", word: given}))
    assert one.operator[0] == word


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("cpa, above: 40", "cpaa, above: 40", 5, "rules.0.when.metric: unknown metric 'cpaa'; did you mean cpa?"),
        ("cpa, above", "cpa, abov", 5, "rules.0.when.abov: unknown field; did you mean above?"),
        ("level: campaign", "level: campain", 4, "rules.0.level: Input should be 'account', 'campaign'"),
        ("above: 40", "above: 40, below: 3", 5, "rules.0.when: expected one operator"),
        ("{metric: cpa, above: 40}", "{all: []}", 5, "rules.0.when.all: "),
        ("{metric: cpa, above: 40}", "{trigger: ctr_dropp}", 5, "did you mean ctr_drop?"),
        ("{metric: cpa, above: 40}", "{metric: cpa, between: [3, 1]}", 5, "expected the lower end first"),
        ("{metric: cpa, above: 40}", "{metric: spend, above: 4, compare: interval}", 5, "expected interval only for"),
        ("{metric: cpa, above: 40}", "{metric: cpa, above: 4, over: last week}", 5, "expected today, yesterday"),
        ("{metric: cpa, above: 40}", "{metric: cpa, above: {times: 2, of: target}}", 1, "expected a target of it"),
        ("[pause]", "[pause, resume]", 3, "expected either pause or resume"),
        ("[pause]", "[{bid: {change: +5%}}]", 3, "bid: expected the level ad_group, ad, keyword, got campaign"),
        ("[pause]", "[{budget: {change: 5%}}]", 6, "expected a change with its sign"),
        ("[pause]", "[{budget: {set: -5}}]", 6, "rules.0.then.0.budget.set: Input should be greater than 0"),
        ("[pause]", "[{ping: 'http://elsewhere.example/'}]", 6, "rules.0.then.0.ping"),
        ("[pause]", "[{ping: 'https://hook.example:port/'}]", 6, "ping: expected a URL: invalid port number"),
        ("[pause]", "[{ping: 'https://[hook.example/'}]", 6, "ping: expected a URL: invalid IPv6 address"),
        ("[pause]", "[{ping: 'https://hook..example/'}]", 6, "a part of the host's name is empty or too long"),
        ("[pause]", "[{ping: 'https://us[er@hook.example/'}]", 6, "brackets before its path are for IPv6 addresses"),
        ("[pause]", "[{rebalance: {between: campaign}}]", 3, "expected by level account: campaign"),
        ("[pause]", "[pause]\n    schedule: [{from: '08:10'}]", 7, "rules.0.schedule"),
        ("[pause]", "[pause]\n    limits: {step: 20}", 7, "rules.0.limits.step: expected a percentage such as 20%"),
    ],
)
def test_an_error_names_file_line_and_field(old: str, new: str, line: int, said: str) -> None:
    assert old in RULE
    with pytest.raises(InvalidFile) as fault:
        rule_file(RULE.replace(old, new).lstrip("\n"))
    assert str(fault.value).startswith(f"rules.yaml, line {line}: ")
    assert said in str(fault.value)


def test_names_are_given_once() -> None:
    with pytest.raises(InvalidFile, match="expected each name once, got 'one' again"):
        rule_file(RULE.lstrip("\n") + RULE.lstrip("\n"))


def test_an_unknown_zone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD.replace("act_1}", "act_1, zone: Europe/Berlon}") + "rules:" + RULE)
    with pytest.raises(InvalidFile, match=r"mine.yaml, line 1: account.zone: expected a time zone"):
        load(file)


def test_a_cut_is_no_raise_where_the_amount_is_below_its_least_already() -> None:
    act = rule_file(RULE.replace("[pause]", "[{budget: {change: -30%, at_least: 10, at_most: 50}}]").lstrip("\n"))
    amount = act.rules[0].then[0].budget
    assert amount is not None
    assert [amount.wanted(one) for one in (100.0, 12.0, 8.0)] == [70.0, 10.0, 8.0]
