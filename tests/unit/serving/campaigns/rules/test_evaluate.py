"""One look at an account: verdicts with their reasons, and changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from serving.campaigns.rules.caps import Past
from serving.campaigns.rules.evaluate import evaluate
from serving.campaigns.rules.look import Evaluation, RuleMemory, RuleVerdict
from serving.campaigns.rules.objects import RuleObject
from tests.unit.serving.campaigns.rules.account import NOW, account, campaign, days, looked, rule_file, wanted

TARGET = "targets: {cpa: 40}\n"
DEAR = """
  - name: dear
    level: campaign
    when:
      all:
        - {metric: cpa, above: {times: 2, of: target}, over: last 7 days}
        - {metric: spend, above: 50, over: last 7 days}
    then: [pause]
"""


def only(found: Evaluation) -> RuleVerdict:
    (verdict,) = found.verdicts
    return verdict


def test_three_conversions_are_not_yet_enough_to_call_a_campaign_dear() -> None:
    rows = [*days("c", 6, spend=50.0, impressions=900), *days("c", 1, spend=50.0, impressions=900, conversions=3)]
    verdict = only(looked(rule_file(DEAR, TARGET), account(rows, campaign())))
    assert verdict.tri == "not yet"
    assert verdict.why == "cpa: not yet, 3 conversions (of 10)"


def test_a_campaign_that_is_surely_dear_is_paused_with_the_reason() -> None:
    rows = days("c", spend=300.0, impressions=900, conversions=1)
    found = looked(rule_file(DEAR, TARGET), account(rows, campaign()))
    assert wanted(found) == {("campaign", "c"): {"status": "paused"}}
    (change,) = found.changes
    assert change.reason.startswith("rule dear: cpa last 7 days 300 [")
    assert (change.by, change.decision_id) == ("rule dear", "rule/dear/2026-06-15T00:00Z")
    assert change.change_id == "rule/meta/act_1/dear/2026-06-15T00:00Z/campaign/c/status"


def test_spend_without_any_conversion_is_evidence_once_ten_should_have_come() -> None:
    nothing = days("c", spend=100.0, impressions=900)
    assert only(looked(rule_file(DEAR, TARGET), account(nothing, campaign()))).why == (
        "cpa: not yet, 0 conversions (of 10)"
    )
    more = days("c", spend=200.0, impressions=900)
    assert only(looked(rule_file(DEAR, TARGET), account(more, campaign()))).tri == "yes"


def test_an_interval_on_both_sides_is_not_yet_and_a_value_alone_acts() -> None:
    rows = days("c", spend=200.0, impressions=900, conversions=2)
    sure = only(looked(rule_file(DEAR, TARGET), account(rows, campaign())))
    assert (sure.tri, "is not surely above 80" in sure.why) == ("not yet", True)
    bare = DEAR.replace("over: last 7 days}\n        - {metric: spend", "compare: value}\n        - {metric: spend")
    assert only(looked(rule_file(bare, TARGET), account(rows, campaign()))).tri == "yes"


@pytest.mark.parametrize(
    ("when", "tri"),
    [
        ("{metric: spend, above: 600}", "yes"),
        ("{metric: spend, between: [1, 600]}", "no"),
        ("{metric: days, is: 7}", "yes"),
        ("{field: name, contains: SHOES}", "yes"),
        ("{field: name, contains_not: shoes}", "no"),
        ("{field: status, one_of: [live, removed]}", "yes"),
        ("{field: audiences, has_any: [a, x]}", "yes"),
        ("{field: audiences, has_all: [a, x]}", "no"),
        ("{field: audiences, has_none: [x]}", "yes"),
        ("{field: bid, above: 1}", "not yet"),
        ("{field: age_days, above: 20}", "yes"),
        ("{not: {field: bid, above: 1}}", "not yet"),
        ("{all: [{field: bid, above: 1}, {metric: spend, below: 1}]}", "no"),
        ("{any: [{field: bid, above: 1}, {metric: spend, above: 1}]}", "yes"),
        ("{any: [{field: bid, above: 1}, {metric: spend, below: 1}]}", "not yet"),
        ("{metric: ctr, below: {times: 0.5, of: the 14 days before}}", "no"),
        ("{metric: roas, below: 1}", "not yet"),
    ],
)
def test_conditions_answer_yes_no_or_not_yet(when: str, tri: str) -> None:
    file = rule_file(f"  - name: one\n    level: campaign\n    when: {when}\n    then: [notify]\n")
    rows = days("c", spend=100.0, impressions=9000, clicks=90)
    seen = account(rows, campaign(name="c", audiences=["a", "b"]))
    named = {place: replace(one, fields={**one.fields, "name": "Red shoes"}) for place, one in seen.objects.items()}
    assert only(looked(file, replace(seen, objects=named))).tri == tri


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("{field: countries, has_any: [DE, AT]}", "countries DE, FR has one of DE, AT"),
        ("{field: countries, has_all: [DE, AT]}", "countries DE, FR has not all of DE, AT"),
        ("{field: status, not_one_of: [live]}", "status live is one of live"),
        ("{metric: spend, outside: [1, 5]}", "spend last 7 days 700 is outside 1, 5"),
    ],
)
def test_an_answer_reads_as_people_speak(when: str, why: str) -> None:
    file = rule_file(f"  - name: one\n    level: campaign\n    when: {when}\n    then: [notify]\n")
    seen = account(days("c", spend=100.0, impressions=9), campaign(countries=["DE", "FR"]))
    assert only(looked(file, seen)).why == why


def test_a_fallen_rate_is_found_against_the_days_before() -> None:
    file = rule_file(
        "  - name: fell\n    level: campaign\n    when: {metric: ctr, below: {times: 0.8, of: the 21 days before}}\n"
        "    then: [notify]\n"
    )
    rows = days("c", 28, impressions=10_000, clicks=200)
    halved = [row | {"clicks": 100} if place >= 21 else row for place, row in enumerate(rows)]
    assert only(looked(file, account(rows))).tri == "no"
    assert only(looked(file, account(halved))).tri == "yes"


RAISE = """
  - name: grow
    level: campaign
    when: {metric: spend, above: 1}
    then: [{budget: {change: +80%}}]
"""


def test_of_eighty_per_cent_twenty_are_made_and_the_rest_follows_while_the_condition_holds() -> None:
    file, rows = rule_file(RAISE), days("c", spend=100.0, impressions=900)
    first = looked(file, account(rows, campaign()))
    assert wanted(first) == {("campaign", "c"): {"daily_budget": 120.0}}
    assert first.queue == {("grow", ("campaign", "c"), "daily_budget"): 180.0}
    assert "120 now, the rest is queued" in only(first).done[0]

    tomorrow = NOW + timedelta(days=1)
    memory = RuleMemory({(("campaign", "c"), "daily_budget"): Past(NOW.timestamp())}, first.queue)
    second = looked(file, account(rows, campaign(daily_budget=120.0)), memory, tomorrow)
    assert wanted(second) == {("campaign", "c"): {"daily_budget": 144.0}}
    last = looked(file, account(rows, campaign(daily_budget=172.8)), memory, tomorrow)
    assert wanted(last) == {("campaign", "c"): {"daily_budget": 180.0}}
    assert last.queue == {}


def test_a_queued_rest_is_kept_while_it_cools_down_and_dropped_when_the_condition_ends() -> None:
    file, rows = rule_file(RAISE), days("c", spend=100.0, impressions=900)
    queue = {("grow", ("campaign", "c"), "daily_budget"): 180.0}
    memory = RuleMemory({(("campaign", "c"), "daily_budget"): Past(NOW.timestamp() - 3600)}, queue)
    cooling = looked(file, account(rows, campaign(daily_budget=120.0)), memory)
    assert (cooling.changes, cooling.queue) == ([], queue)
    assert only(cooling).done == ("daily_budget of c: cools down for another 23.0 h",)

    ended = looked(file, account(days("c", impressions=900), campaign(daily_budget=120.0)), memory)
    assert (ended.changes, ended.queue) == ([], {})
    assert only(ended).done == ("daily_budget: the queued rest is dropped",)


def test_where_two_rules_oppose_priority_decides_and_both_are_told() -> None:
    cut = RAISE.replace("grow", "cut").replace("+80%", "-10%") + "    priority: 3\n"
    found = looked(rule_file(RAISE + cut), account(days("c", spend=100.0, impressions=900), campaign()))
    assert wanted(found) == {("campaign", "c"): {"daily_budget": 90.0}}
    lost, won = found.verdicts
    assert (lost.tri, lost.change_ids) == ("yes", ())
    assert lost.done == ("daily_budget: is opposed by rule cut, which has priority 3 over 0",)
    assert won.done == ("daily_budget of c from 100 to 90",)


def test_at_equal_priority_what_protects_wins_and_a_pause_opposes_a_raise() -> None:
    stop = RAISE.replace("grow", "stop").replace("[{budget: {change: +80%}}]", "[pause]")
    found = looked(rule_file(RAISE + stop), account(days("c", spend=100.0, impressions=900), campaign()))
    assert wanted(found) == {("campaign", "c"): {"status": "paused"}}
    assert found.verdicts[0].done == (
        "daily_budget: is opposed by rule stop, which protects or comes first, at equal priority",
    )


def test_what_people_edited_is_left_alone_and_an_unknown_budget_is_told() -> None:
    rows = days("c", spend=100.0, impressions=900)
    held = looked(rule_file(RAISE), account(rows, campaign(held="ann changed daily_budget from 90 to 100")))
    assert only(held).done == ("daily_budget of c: ann changed daily_budget from 90 to 100",)
    unknown = looked(rule_file(RAISE), account(rows))
    assert only(unknown).done == ("daily_budget: unknown; adloop sync reads it",)
    assert held.changes == unknown.changes == []


def test_a_paused_object_raises_nothing_but_its_resumption() -> None:
    resume = RAISE.replace("grow", "again").replace("[{budget: {change: +80%}}]", "[resume]")
    file, rows = rule_file(RAISE + resume), days("c", spend=100.0, impressions=900)
    paused = looked(file, account(rows, campaign(status="paused")))
    assert wanted(paused) == {("campaign", "c"): {"status": "live"}}
    assert (paused.verdicts[0].tri, paused.verdicts[0].why) == ("no", "is paused: raises nothing")
    live = looked(file, account(rows, campaign()))
    assert list(wanted(live).values()) == [{"daily_budget": 120.0}]


def test_an_ad_of_a_paused_campaign_raises_nothing() -> None:
    file = rule_file(RAISE.replace("campaign", "ad").replace("[{budget: {change: +80%}}]", "[pause]"))
    rows = [row | {"ad_id": "a", "ad_group_id": "g"} for row in days("c", spend=100.0, impressions=900)]
    assert only(looked(file, account(rows, campaign(status="paused")))).why == "is paused: raises nothing"
    assert len(looked(file, account(rows, campaign())).changes) == 1


def test_the_days_changes_have_a_limit() -> None:
    rows = [*days("c", spend=100.0, impressions=900), *days("d", spend=100.0, impressions=900)]
    file = rule_file(RAISE, "changes_a_day: 3\n")
    found = looked(file, account(rows, campaign("c"), campaign("d")), RuleMemory(changes_today=2))
    assert len(found.changes) == 1
    assert found.verdicts[1].done == ("the 3 changes of the day are used up",)


def test_the_same_half_hour_wants_the_same_changes() -> None:
    file, seen = rule_file(RAISE), account(days("c", spend=100.0, impressions=900), campaign())
    slots = {"grow": "2026-06-15T00:00Z"}
    once, again = (evaluate(file, seen, RuleMemory(), NOW + timedelta(hours=h), slots) for h in (0, 5))
    assert once.changes == again.changes


def test_budget_moves_between_campaigns_and_its_sum_stays() -> None:
    file = rule_file(
        "  - name: move\n    level: account\n    when: {metric: spend, above: 1}\n"
        "    then: [{rebalance: {between: campaign, step: 10%}}]\n"
    )
    rows = [
        *days("c", spend=100.0, impressions=900, conversions=8),
        *days("d", spend=100.0, impressions=900, conversions=2),
        *days("p", spend=100.0, impressions=900),
    ]
    paused = campaign("p", status="paused")
    found = looked(file, account(rows, campaign("c"), campaign("d", daily_budget=50.0), paused))
    assert wanted(found) == {("campaign", "c"): {"daily_budget": 105.0}, ("campaign", "d"): {"daily_budget": 45.0}}
    assert "a unit of spend brings c at least" in found.changes[0].reason


@pytest.mark.parametrize("dimension", ["channel", "audience", "hour", "ad"])
def test_shares_of_a_campaign_move_between_channels_audiences_hours_and_ads(dimension: str) -> None:
    file = rule_file(
        "  - name: move\n    level: campaign\n    when: {metric: spend, above: 1}\n"
        f"    then: [{{rebalance: {{between: {dimension}, step: 10%}}}}]\n"
    )
    column = {"ad": "ad_id"}.get(dimension, dimension)
    rows = [
        row | {column: name, "conversions": k}
        for name, k in (("8", 8), ("9", 2))
        for row in days("c", spend=100.0, impressions=900)
    ]
    found = looked(file, account(rows, campaign()))
    assert wanted(found) == {("campaign", "c"): {f"{dimension}_shares": {"8": 5500.0, "9": 4500.0}}}


def test_rotation_rests_the_worst_ad_and_runs_the_most_promising_one() -> None:
    file = rule_file("  - name: turn\n    level: ad_group\n    when: {metric: days, above: 3}\n    then: [rotate]\n")
    rows = [
        row | {"ad_id": ad, "ad_group_id": "g", "clicks": clicks}
        for ad, clicks in (("good", 90), ("bad", 20))
        for row in days("c", impressions=1000)
    ]
    resting = RuleObject(("ad", "new"), {"status": "paused"}, "g")
    found = looked(file, account(rows, campaign(), RuleObject(("ad_group", "g"), {"status": "live"}, "c"), resting))
    assert wanted(found) == {("ad", "bad"): {"status": "paused"}, ("ad", "new"): {"status": "live"}}


def test_people_and_endpoints_are_told_once_until_the_cool_down_is_over() -> None:
    file = rule_file(RAISE.replace("[{budget: {change: +80%}}]", "[{notify: look}, {ping: 'https://hook.example/x'}]"))
    seen = account(days("c", spend=100.0, impressions=900), campaign())
    found = looked(file, seen)
    assert [text for text, _ in found.notices] == ["look"]
    assert [url for url, _ in found.pings] == ["https://hook.example/x"]
    again = looked(file, seen, RuleMemory({(("campaign", "c"), "told by grow"): Past(NOW.timestamp() - 60)}))
    assert again.notices == again.pings == []


def test_a_rule_may_be_of_some_campaigns_only() -> None:
    rows = [*days("c", spend=100.0, impressions=900), *days("d", spend=100.0, impressions=900)]
    file = rule_file(RAISE + "    only: {campaigns: [d]}\n")
    assert list(wanted(looked(file, account(rows, campaign("c"), campaign("d"))))) == [("campaign", "d")]
