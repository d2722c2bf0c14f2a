"""What is special of Google Ads, against the gRPC fake."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.campaigns.launch import launch
from serving.campaigns.parts import CannotRun, LaunchNumbers, parts
from serving.integrations.apply import apply, dry_run
from serving.integrations.change import Change, Fields
from serving.integrations.credentials import NotConnected
from serving.integrations.google_ads.account import GoogleAdsAccount, connected
from serving.integrations.ledger import WriteLedger
from serving.integrations.outside import look
from serving.integrations.platform import CallRefused, Denied, LoginExpired, Throttled
from serving.integrations.session import Applied
from serving.integrations.undo import CannotUndo, undo
from tests.fakes import google_ads
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.google_ads import change
from tests.fakes.google_ads.state import CUSTOMER, GoogleAdsState
from tests.fakes.google_ads.tls import secured
from tests.fakes.google_ads.tokens import DEVELOPER_TOKEN, issued
from tests.unit.serving.campaigns.home import TestClock, approved, opened

MUTATE = "*GoogleAdsService/Mutate"
AD: Fields = {
    "headlines": ["Trail shoes", "Free returns", "Made to last"],
    "bodies": ["Shoes for every trail.", "Order today, run tomorrow."],
    "url": "https://shop.example/trail",
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(google_ads.FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> Iterator[GoogleAdsAccount]:
    opened = connected()
    yield opened
    opened.close()


def kept(fake: Running) -> GoogleAdsState:
    assert isinstance(fake.state, GoogleAdsState)
    return fake.state


def applied(account: GoogleAdsAccount, ledger: WriteLedger, *changes: Change) -> Applied:
    ledger.intend(changes, 0.0)
    return apply(account, ledger, clock=QuickClock())


def shown(account: GoogleAdsAccount, ledger: WriteLedger, change_id: str) -> Mapping[str, Any]:
    entry = ledger.entry(change_id)
    [found] = account.objects(entry.change.object, [entry.object_id])
    return found.fields


def keyword(place: int, **said: Any) -> Change:
    fields = {"keyword": f"trail shoes {place}", "match": "exact", "bid": 0.5, **said}
    return change(f"keyword-{place}", "keyword", fields, parent="21")


def mutates(fake: Running) -> int:
    return sum(call.call.endswith("/Mutate") for call in fake.script.calls)


def test_of_ten_operations_three_fail_and_seven_are_recorded(
    fake: Running, account: GoogleAdsAccount, ledger: WriteLedger
) -> None:
    wrong = {2: {"bid": 0.123456}, 5: {"keyword": "trail*shoes"}, 8: {"keyword": " ".join("abcdefghijk")}}
    changes = [keyword(place, **wrong.get(place, {})) for place in range(10)]
    found = applied(account, ledger, *changes)
    assert len(found.confirmed) == 7
    assert {name: (fault.code.split(" ")[1], fault.field) for name, fault in found.refused.items()} == {
        "keyword-2": ("BID_TOO_MANY_FRACTIONAL_DIGITS", "bid"),
        "keyword-5": ("KEYWORD_HAS_INVALID_CHARS", "keyword"),
        "keyword-8": ("KEYWORD_HAS_TOO_MANY_WORDS", "keyword"),
    }
    assert mutates(fake) == 1, "none is sent again"


def test_a_campaign_is_there_once_after_a_lost_answer(
    fake: Running, account: GoogleAdsAccount, ledger: WriteLedger
) -> None:
    fake.script.add(ScriptedFault(MUTATE, lost="after"))
    applied(account, ledger, change("new", "campaign", {"name": "Trail", "daily_budget": 20.0}))
    assert mutates(fake) == 1
    assert [one.name.split(" [")[0] for one in kept(fake).resources["campaign"].values()] == ["Shoes", "Trail"]


def test_a_keyword_is_there_once_after_a_lost_answer(
    fake: Running, account: GoogleAdsAccount, ledger: WriteLedger
) -> None:
    fake.script.add(ScriptedFault(MUTATE, lost="after"))
    found = applied(account, ledger, keyword(1), change("no", "negative_keyword", _text("used", "broad"), parent="11"))
    assert sorted(found.confirmed) == ["keyword-1", "no"]
    assert mutates(fake) == 2
    assert account.objects("negative_keyword")[0].fields == {"keyword": "used", "match": "broad", "status": "live"}


def test_a_campaign_that_came_late_is_there_once(
    account: GoogleAdsAccount, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call was lost, and done only after it was looked for: Google has its name, which ends with its marker."""
    new, find = change("new", "campaign", {"name": "Trail", "daily_budget": 20.0}), account.find
    looked = list[int]()

    def late(changes: Sequence[Change]) -> Mapping[str, str]:
        looked.append(len(looked))
        return find(changes) if len(looked) > 2 else {}

    account.send([new])
    monkeypatch.setattr(account, "find", late)
    assert applied(account, ledger, new).confirmed == ["new"]
    assert [one.fields["name"] for one in account.objects("campaign")] == ["Shoes", "Trail"]


def _text(keyword: str, match: str) -> Fields:
    return {"keyword": keyword, "match": match}


def test_campaigns_are_created_with_their_budget_or_not_at_all(
    fake: Running, account: GoogleAdsAccount, ledger: WriteLedger
) -> None:
    names = ["A", "Shoes", "B", "C"]  # no name twice; one budget is below a cent
    changes = [
        change(f"new-{name}", "campaign", {"name": name, "daily_budget": 20.0, "eu_political": False}) for name in names
    ]
    changes[2] = replace(changes[2], fields={"name": "B", "daily_budget": 1e8})
    found = applied(account, ledger, *changes)
    assert sorted(found.confirmed) == ["new-A", "new-C", "new-Shoes"]
    assert found.refused["new-B"].field == "daily_budget"
    assert mutates(fake) == 2, "once with it, once without it"
    state = kept(fake)
    assert len(state.resources["campaign_budget"]) == len(state.resources["campaign"]) == 4
    assert shown(account, ledger, "new-A")["status"] == "paused"


def test_a_political_declaration_is_never_made_up(
    fake: Running, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ADLOOP_GOOGLE_ADS_EU_POLITICAL")
    account = connected()
    found = applied(account, ledger, change("new", "campaign", {"name": "Trail", "daily_budget": 20.0}))
    assert found.refused["new"].field == "eu_political"
    account.close()


def test_a_dry_run_is_validated_by_google(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    ledger.intend([keyword(1), change("ad", "ad", {**AD, "headlines": ["One", "Two", "x" * 31]}, parent="21")], 0.0)
    before = fake.state.objects()
    assert [outcome.fault.field if outcome.fault else "" for outcome in dry_run(account, ledger)] == [
        "",
        "headlines[2]",
    ]
    assert mutates(fake) == 2
    assert fake.state.objects() == before


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"bodies": ["One."]}, "bodies"),
        ({"bodies": ["x" * 91, "Two."]}, "bodies[0]"),
        ({"headlines": ["Same", "Same", "Other"]}, "headlines"),
        ({"url": "shop.example"}, "url"),
        ({"headlines": "Trail shoes"}, "headlines"),
    ],
)
def test_copy_that_google_refuses_is_named(account: GoogleAdsAccount, said: Fields, field: str) -> None:
    [outcome] = account.send([change("ad", "ad", {**AD, **said}, parent="21")])
    assert outcome.fault is not None and outcome.fault.field == field


def test_texts_of_an_ad_are_changed_and_restored(account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    applied(account, ledger, change("texts", "ad", {"headlines": list("ABC"), "status": "paused"}, target="21~41"))
    assert shown(account, ledger, "texts") | {"headlines": list("ABC"), "status": "paused"} == shown(
        account, ledger, "texts"
    )
    undo(account, ledger, "texts", "ann")
    assert apply(account, ledger, clock=QuickClock()).confirmed == ["undo:texts"]
    assert shown(account, ledger, "texts")["headlines"] == ["Running shoes", "Free returns", "Made to last"]


def test_a_keyword_is_paused_and_its_own_bid_taken_back(account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    applied(account, ledger, change("group", "ad_group", {"name": "Trail"}, parent="11"))
    group = ledger.entry("group").object_id
    update = change("bid", "ad_group", {"bid": 0.75}, target=group)
    paused = change("pause", "keyword", {"status": "paused"}, target="21~31")
    assert sorted(applied(account, ledger, update, paused).confirmed) == ["bid", "pause"]
    assert shown(account, ledger, "bid")["bid"] == 0.75
    assert shown(account, ledger, "pause")["status"] == "paused"
    undo(account, ledger, "bid", "ann")
    apply(account, ledger, clock=QuickClock())
    assert shown(account, ledger, "bid")["bid"] == 0.0, "none of its own, as before"


def test_a_keyword_that_was_there_before_is_not_taken_back(account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    applied(account, ledger, change("add", "keyword", _text("Running  Shoes", "phrase"), parent="21"))
    assert ledger.entry("add").object_id == "21~31"
    assert ledger.entry("add").status == "refused", "it shows another text, which a person chose"
    applied(account, ledger, change("same", "keyword", _text("running shoes", "phrase"), parent="21"))
    with pytest.raises(CannotUndo, match="was at the platform before it was sent"):
        undo(account, ledger, "same", "ann")


def test_a_shared_budget_is_left_alone(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    next(iter(kept(fake).resources["campaign_budget"].values())).reference_count = 3
    found = applied(account, ledger, change("up", "campaign", {"daily_budget": 60.0}, target="11"))
    assert "shared by 3 campaigns" in found.refused["up"].message


def test_times_are_on_the_accounts_clock(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    dates = {"starts_at": "2027-02-28T23:00:00Z", "ends_at": "2027-03-30T22:00:00Z"}
    applied(account, ledger, change("new", "campaign", {"name": "Spring", "daily_budget": 20.0, **dates}))
    campaign = list(kept(fake).resources["campaign"].values())[-1]
    assert (campaign.start_date_time, campaign.end_date_time) == ("2027-03-01 00:00:00", "2027-03-30 23:59:59")
    assert shown(account, ledger, "new") | dates == shown(account, ledger, "new")
    found = applied(account, ledger, change("noon", "campaign", {"starts_at": "2027-03-01T12:00:00Z"}, target="11"))
    assert found.refused["noon"].field == "starts_at"
    applied(account, ledger, change("open", "campaign", {"ends_at": ""}, target=ledger.entry("new").object_id))
    assert shown(account, ledger, "open")["ends_at"] == ""


def test_countries_of_a_campaign_are_set_and_restored(account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    fields = {"name": "Alps", "daily_budget": 20.0, "countries": ["DE", "AT"]}
    applied(account, ledger, change("new", "campaign", fields))
    place = ledger.entry("new").object_id
    assert shown(account, ledger, "new")["countries"] == ["AT", "DE"]
    applied(account, ledger, change("move", "campaign", {"countries": ["CH", "DE"]}, target=place))
    assert shown(account, ledger, "new")["countries"] == ["CH", "DE"]
    undo(account, ledger, "move", "ann")
    apply(account, ledger, clock=QuickClock())
    assert shown(account, ledger, "new")["countries"] == ["AT", "DE"]
    found = applied(account, ledger, change("wrong", "campaign", {"countries": ["XX"]}, target=place))
    assert found.refused["wrong"].field == "countries"


def test_a_name_is_changed_and_its_marker_stays(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    new = change("new", "campaign", {"name": "Trail", "daily_budget": 20.0})
    applied(account, ledger, new)
    applied(account, ledger, change("name", "campaign", {"name": "Path"}, target=ledger.entry("new").object_id))
    assert shown(account, ledger, "name")["name"] == "Path"
    assert account.find([new]) == {"new": ledger.entry("new").object_id}


def test_edits_are_told_with_who_made_them(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    applied(account, ledger, change("up", "campaign", {"daily_budget": 60.0}, target="11"))
    assert account.edits(0.0) == [], "adloop's own"
    state = kept(fake)
    state.edit("campaign", "11", {"daily_budget": 80.0}, "bob@example.org")
    other = "google_ads/api-tool@example.org"
    state.happened("ad_group", state.name("ad_group", "21"), ["name"], "GOOGLE_ADS_API", other, "UPDATE")
    told = {(one.object, one.object_id, one.by) for one in account.edits(0.0)}
    assert told == {("campaign", "11", "bob@example.org"), ("ad_group", "21", other)}
    [edited] = look(ledger, account, datetime.now(UTC).timestamp())
    assert str(edited) == "bob@example.org changed daily_budget from 60.0 to 80.0"


def test_a_quality_score_that_changes_is_no_edit(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    applied(account, ledger, change("bid", "keyword", {"bid": 0.6}, target="21~31"))
    assert shown(account, ledger, "bid")["quality_score"] == 7
    kept(fake).resources["ad_group_criterion"][
        f"customers/{CUSTOMER}/adGroupCriteria/21~31"
    ].quality_info.quality_score = 4
    assert look(ledger, account, 2.0) == []
    assert applied(account, ledger, change("next", "keyword", {"bid": 0.7}, target="21~31")).confirmed == ["next"]


def test_a_day_is_read_as_google_counts_it(fake: Running, account: GoogleAdsAccount) -> None:
    day = datetime.now(UTC).date() - timedelta(days=3)
    days = [one for one in kept(fake).days if one.day == str(day)]
    tables = account.read(day)
    shows = tables["impressions"].to_pylist()
    assert [one["channel"] for one in shows] == ["google_search", "google_search_partners"]
    assert sum(one["spend"] for one in shows) == pytest.approx(sum(one.cost_micros for one in days) / 1e6)
    for name, theirs in (("impressions", "impressions"), ("clicks", "clicks"), ("conversion_value", "value")):
        assert sum(one[name] for one in shows) == sum(getattr(one, theirs) for one in days)
    [creative] = tables["creatives"].to_pylist()
    assert (creative["creative_id"], creative["campaign_id"]) == ("21~41", "11")
    assert creative["headline"] == "Running shoes | Free returns | Made to last"
    assert account.read(date(2020, 1, 1)) == {}


def test_an_audience_is_told_beside_everybody(account: GoogleAdsAccount) -> None:
    rows = {one["attribute"]: one for one in account.audience_insights(country=2276, interest=80101).to_pylist()}
    assert rows["Runners"]["dimension"] == "affinity_user_interest"
    assert rows["Runners"]["share"] == pytest.approx(rows["Runners"]["index"] * rows["Runners"]["baseline_share"])
    with pytest.raises(CallRefused):
        account.connection.call(
            "audience_insights_service",
            "generate_audience_composition_insights",
            account.connection.message(
                "services.types.audience_insights_service", "GenerateAudienceCompositionInsightsRequest"
            ).__class__(customer_id=CUSTOMER),
        )


def test_a_revoked_login_is_told(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_GOOGLE_ADS_REFRESH_TOKEN", "revoked")
    account = connected()
    with pytest.raises(LoginExpired, match="ADLOOP_GOOGLE_ADS_REFRESH_TOKEN"):
        account.connect()
    account.close()


def test_a_login_without_the_account_is_denied(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_GOOGLE_ADS_CUSTOMER_ID", "999-999-9999")
    account = connected()
    with pytest.raises(Denied, match="account 9999999999"):
        account.connect()
    account.close()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ENDPOINT", "http://ads.example.org", "TLS"),
        ("VERSION", "v14", "ADLOOP_GOOGLE_ADS_VERSION"),
        ("CUSTOMER_ID", "12", "ADLOOP_GOOGLE_ADS_CUSTOMER_ID"),
    ],
)
def test_settings_are_checked(fake: Running, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(f"ADLOOP_GOOGLE_ADS_{name}", value)
    with pytest.raises(NotConnected, match=told):
        connected()


def test_a_quota_without_a_time_waits_a_minute(fake: Running, account: GoogleAdsAccount) -> None:
    fake.script.add(ScriptedFault("*SearchStream", status="RESOURCE_EXHAUSTED"))
    with pytest.raises(Throttled) as told:
        account.objects("campaign")
    assert told.value.wait_s == 60.0


def test_a_full_account_is_no_quota_to_wait_for(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    full = {"error_code": {"resource_count_limit_exceeded_error": "ACCOUNT_LIMIT"}, "message": "Too many campaigns."}
    fake.script.add(ScriptedFault(MUTATE, status="RESOURCE_EXHAUSTED", body={"errors": [full]}))
    found = applied(account, ledger, change("new", "campaign", {"name": "Trail", "daily_budget": 20.0}))
    assert found.refused["new"].message == "Too many campaigns."


def test_what_two_edit_at_once_is_sent_again(fake: Running, account: GoogleAdsAccount, ledger: WriteLedger) -> None:
    busy = {"errors": [_busy(0)]}
    fake.script.add(ScriptedFault(MUTATE, status="INVALID_ARGUMENT", body=busy))
    found = applied(account, ledger, change("up", "campaign", {"daily_budget": 60.0}, target="11"))
    assert (found.confirmed, mutates(fake)) == (["up"], 2)


def _busy(place: int) -> Mapping[str, Any]:
    return {
        "error_code": {"database_error": "CONCURRENT_MODIFICATION"},
        "message": "Multiple requests were attempting to modify the same resource at once.",
        "location": {"field_path_elements": [{"field_name": "mutate_operations", "index": place}]},
    }


def test_a_planned_campaign_is_launched(account: GoogleAdsAccount, tmp_path: Path) -> None:
    clock = TestClock()
    known = opened(tmp_path, clock)
    version = approved(known, **{"countries: [GB, US]": "countries: [DE, AT]"})
    wanted = parts(version.plan, "google_ads", account.capabilities, LaunchNumbers())
    launch(known.lives, known.ledger, version, {"google_ads": wanted}, "ann", "spring begins", known.now())
    found = apply(account, known.ledger, clock=clock)
    assert (found.refused, found.held) == ({}, {})
    [campaign] = [one.fields for one in account.objects("campaign") if one.fields["name"] == version.plan.name]
    assert (campaign["status"], campaign["daily_budget"]) == ("live", 60.0)
    assert (campaign["countries"], campaign["eu_political"]) == (["AT", "DE"], False)
    assert campaign["ends_at"] == "2027-03-30T22:00:00Z"
    texts = [one.fields["keyword"] for one in account.objects("negative_keyword")]
    assert sorted(texts) == ["jobs", "second hand"]


def test_ad_groups_of_a_campaign_share_its_countries(account: GoogleAdsAccount, tmp_path: Path) -> None:
    group = """
      - name: walking
        countries: [FR]
        ads: [{name: plain, url: https://shop.example/malt, headlines: [Malt]}]
      - name: running"""
    plan = approved(opened(tmp_path, TestClock()), **{"\n      - name: running": group}).plan
    with pytest.raises(CannotRun, match="expected those of the campaign in all ad groups"):
        parts(plan, "google_ads", account.capabilities, LaunchNumbers())


def test_googles_own_client_reads_what_was_written(
    fake: Running, account: GoogleAdsAccount, ledger: WriteLedger, tmp_path: Path
) -> None:
    """Unmodified, over TLS, of another API version, paged by two: campaigns as adloop wrote them; and adloop reads what
    it wrote."""
    new = change("new", "campaign", {"name": "Trail", "daily_budget": 20.5})
    applied(account, ledger, new, keyword(1), change("more", "campaign", {"name": "Alps", "daily_budget": 10.0}))
    kept(fake).page_size = 2
    issued(kept(fake)).add("by-hand")
    with secured(kept(fake), fake.script, tmp_path / "certificate.pem") as endpoint:
        ran = subprocess.run(
            [
                sys.executable,
                Path(__file__).with_name("google_ads_client.py"),
                endpoint,
                "v23",
                "by-hand",
                DEVELOPER_TOKEN,
            ],
            env=os.environ | {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tmp_path / "certificate.pem")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [(name.split(" [")[0], status, micros) for name, status, micros in told["campaigns"]] == [
        ("Alps", "PAUSED", 10_000_000),
        ("Shoes", "ENABLED", 50_000_000),
        ("Trail", "PAUSED", 20_500_000),
    ]
    assert sorted(told["keywords"]) == ["running shoes", "trail shoes 1"]
    assert told["results"][1] == "" and told["results"][0].startswith(f"customers/{CUSTOMER}/adGroups/")
    path = ["operations", "create", "cpc_bid_micros"]
    assert told["failed"] == [[1, path, "BID_TOO_MANY_FRACTIONAL_DIGITS"]]
    assert told["refused"] == ["UNRECOGNIZED_FIELD", "INVALID_ARGUMENT", True]
    [group] = account.objects("ad_group", [told["results"][0].rpartition("/")[2]])
    assert group.fields == {"name": "By hand 500000", "status": "live", "bid": 0.5}
