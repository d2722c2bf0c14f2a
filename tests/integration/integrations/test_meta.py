"""What is special of Meta: errors in answers of 200, calls of a batch that fail alone, fields that are set together."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from serving.integrations import apply as applying
from serving.integrations import catalog
from serving.integrations.change import Change
from serving.integrations.ledger import WriteLedger
from serving.integrations.meta.leaving import hashed, hashed_phone
from serving.integrations.platform import Denied, Platform, Throttled
from serving.integrations.session import Applied
from tests.fakes import catalog as fakes
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.meta.examples import ACCOUNT, AD_SET, TOKEN
from tests.fakes.ordeal import SkippedTime


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(fakes.fake("meta")) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def meta(fake: Running) -> Iterator[Platform]:
    opened = catalog.platform("meta")
    yield opened
    opened.close()


def apply(platform: Platform, ledger: WriteLedger) -> Applied:
    """As `adloop apply`, on a clock on which waiting takes no time."""
    return applying.apply(platform, ledger, clock=SkippedTime())


def wanted(change_id: str, kind: str, fields: dict[str, Any], doing: Any = "create", **said: str) -> Change:
    return Change(change_id, "meta", ACCOUNT, kind, doing, fields, "test", "ann", **said)


def test_three_of_ten_fail_and_seven_are_kept(fake: Running, meta: Platform, ledger: WriteLedger) -> None:
    budgets = [10.0, 0.2, 12.0, 13.0, 0.3, 15.0, 16.0, 0.4, 18.0, 19.0]
    changes = [
        wanted(f"c{place}", "campaign", {"name": f"C{place}", "daily_budget": budget})
        for place, budget in enumerate(budgets)
    ]
    ledger.intend(changes, 0.0)
    applied = apply(meta, ledger)
    assert sorted(applied.refused) == ["c1", "c4", "c7"]
    assert {fault.field for fault in applied.refused.values()} == {"daily_budget"}
    assert sorted(fake.state.markers()) == sorted(
        change.marker for change, budget in zip(changes, budgets, strict=True) if budget > 1
    )


def test_an_error_in_an_answer_of_200_is_a_failure(fake: Running, meta: Platform) -> None:
    told = {"error": {"message": "(#200) No permission", "type": "OAuthException", "code": 200}}
    fake.script.add(ScriptedFault("POST /v26.0/", status=200, body=told))
    with pytest.raises(Denied, match="ads_management"):
        meta.send([wanted("c", "campaign", {"name": "C"})])


@pytest.mark.parametrize(
    ("code", "headers", "waits"),
    [
        (17, {}, 300.0),
        (4, {"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}, 180.0),
        (80004, {"X-Ad-Account-Usage": '{"acc_id_util_pct": 100, "reset_time_duration": 55}'}, 55.0),
    ],
)
def test_throttles_wait_as_headers_tell(
    fake: Running, meta: Platform, code: int, headers: dict[str, str], waits: float
) -> None:
    told = {"error": {"message": "too many calls", "code": code}}
    fake.script.add(ScriptedFault("GET *", status=400, body=told, headers=headers))
    with pytest.raises(Throttled) as throttled:
        meta.connect()
    assert throttled.value.wait_s == waits


def test_a_call_that_meta_had_no_time_for_is_looked_for(fake: Running, meta: Platform, ledger: WriteLedger) -> None:
    changes = [wanted(f"c{place}", "campaign", {"name": f"C{place}"}) for place in range(3)]
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault("POST /v26.0/act_*/campaigns", after=1, lost="after"))
    apply(meta, ledger)
    assert len(fake.state.markers()) == 3
    assert [ledger.entry(change.change_id).tries for change in changes] == [1, 1, 1]


def test_a_whole_batch_without_an_answer_doubles_nothing(fake: Running, meta: Platform, ledger: WriteLedger) -> None:
    ledger.intend([wanted(f"c{place}", "campaign", {"name": f"C{place}"}) for place in range(3)], 0.0)
    fake.script.add(ScriptedFault("POST /v26.0/", after=1, lost="after"))
    apply(meta, ledger)
    assert len(fake.state.markers()) == 3


def test_one_target_changes_and_the_others_stay(meta: Platform, ledger: WriteLedger) -> None:
    ledger.intend([wanted("a", "audience", {"name": "Best customers"})], 0.0)
    ledger.intend([wanted("t", "ad_group", {"audiences": ["change:a"]}, "update", target=AD_SET)], 0.0)
    assert sorted(apply(meta, ledger).confirmed) == ["a", "t"]
    [shown] = meta.objects("ad_group", [AD_SET])
    assert shown.fields["countries"] == ["DE"] and len(shown.fields["audiences"]) == 1


def test_ads_of_one_and_of_several_texts_are_read_back(meta: Platform, ledger: WriteLedger) -> None:
    one = {"name": "One", "headlines": ["Light shoes"], "bodies": ["210 g."], "url": "https://shop.example/"}
    many = {**one, "name": "Many", "headlines": ["Light shoes", "Malt"], "image": "https://shop.example/a.jpg"}
    like = {"name": "Like the best", "like": "change:a", "countries": ["DE"], "ratio": 0.02}
    ledger.intend(
        [
            wanted("1", "ad", one, parent=AD_SET),
            wanted("2", "ad", many, parent=AD_SET),
            wanted("a", "audience", {"name": "Best customers"}),
            wanted("l", "audience", like),
        ],
        0.0,
    )
    applied = apply(meta, ledger)
    assert (sorted(applied.confirmed), applied.refused) == (["1", "2", "a", "l"], {})


def test_no_special_category_is_read_back_as_none(meta: Platform, ledger: WriteLedger) -> None:
    ledger.intend([wanted("c", "campaign", {"name": "C", "special_ad_categories": []})], 0.0)
    assert apply(meta, ledger).confirmed == ["c"]


def test_conversions_and_members_leave_hashed_and_count_once(
    fake: Running, meta: Platform, ledger: WriteLedger
) -> None:
    sold = {"event": "Purchase", "occurred_at": "2026-11-20T10:00:00Z", "email": " Ann@Example.org ", "value": 40.0}
    ledger.intend([wanted("e", "event", sold, "send"), wanted("a", "audience", {"name": "Best"})], 0.0)
    apply(meta, ledger)
    ledger.intend([wanted("m", "audience_members", {"audience": "change:a", "emails": ["ann@example.org"]}, "send")], 0)
    fake.script.add(ScriptedFault("POST /v26.0/*/users", lost="after"))
    apply(meta, ledger)
    kept = fake.state.objects()
    [event] = kept["events"]
    assert event["user_data"]["em"] == [hashed("ann@example.org")]
    assert list(kept["members"].values()) == [[hashed("ann@example.org")]]
    again = replace(ledger.entry("e").change, reason="asked again")
    meta.send([again])
    assert len(fake.state.objects()["events"]) == 1
    assert hashed_phone("+49 (170) 123") == hashed_phone("0049170123")


def test_metas_own_client_reads_what_was_written(fake: Running, meta: Platform, ledger: WriteLedger) -> None:
    changes = [wanted(f"c{place}", "campaign", {"name": f"C{place}", "daily_budget": 20.5}) for place in range(5)]
    ledger.intend(changes, 0.0)
    apply(meta, ledger)
    session = FacebookSession(access_token=TOKEN)
    session.GRAPH = fake.url
    api = FacebookAdsApi(session, "v26.0")
    found = AdAccount(f"act_{ACCOUNT}", api=api).get_campaigns(
        fields=[Campaign.Field.name, Campaign.Field.daily_budget]
    )
    read = {campaign["name"]: campaign.get("daily_budget") for campaign in found}
    assert read == {"Brand": None, **{f"{one.fields['name']} [adloop {one.marker}]": "2050" for one in changes}}
