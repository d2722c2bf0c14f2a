"""What is special of LinkedIn, against the fake that speaks its protocol."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import pytest

from serving.integrations.apply import apply
from serving.integrations.ledger import WriteLedger
from serving.integrations.linkedin import errors
from serving.integrations.linkedin.account import LinkedInAccount, connected
from serving.integrations.outside import look
from serving.integrations.platform import Denied, Throttled, VersionRetired
from tests.fakes import linkedin
from tests.fakes.clock import QuickClock
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.linkedin import app, checks, reports
from tests.fakes.linkedin.state import ACCOUNT, LinkedInState

DAY = date(2026, 10, 5)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(linkedin.FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> Iterator[LinkedInAccount]:
    opened = connected()
    yield opened
    opened.close()


def kept(fake: Running) -> LinkedInState:
    assert isinstance(fake.state, LinkedInState)
    return fake.state


def test_a_version_that_is_switched_off_names_the_variable(fake: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_LINKEDIN_VERSION", "202401")
    with pytest.raises(VersionRetired, match=r"202401 is switched off: set ADLOOP_LINKEDIN_VERSION to a month"):
        connected().connect()


def test_waits_grow_to_midnight_and_start_again_after_an_answer() -> None:
    noon, throttle = datetime(2026, 10, 5, 12, tzinfo=UTC).timestamp(), errors.LinkedInThrottle()
    limit = "Resource level throttle limit for calls to this resource is reached."
    assert [throttle.wait_s(limit, noon) for _ in range(3)] == [300, 600, 1200]
    assert [throttle.wait_s(limit, noon) for _ in range(9)][-1] == 43_200
    daily = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached."
    assert errors.LinkedInThrottle().wait_s(daily, noon + 3600) == 39_600


def test_an_answer_ends_a_row_of_throttles(fake: Running, account: LinkedInAccount) -> None:
    fake.script.add(ScriptedFault(status=429, body=checks.old(429, "throttle limit", 101), times=2))
    waits = list[float]()
    for _ in range(2):
        with pytest.raises(Throttled) as told:
            account.objects("campaign")
        waits.append(told.value.wait_s)
    account.objects("campaign")
    fake.script.add(ScriptedFault(status=429, body="<html>", times=1))
    with pytest.raises(Throttled) as told:
        account.objects("campaign")
    assert [*waits, told.value.wait_s] == [300, 600, 300]


def test_both_forms_of_errors_are_read() -> None:
    old = errors.fault(checks.old(400, "Invalid budget", 1337))
    new = errors.fault(checks.new("runSchedule/end", "INVALID_VALUE", "end must be after start"))
    assert (old.code, old.message, old.field) == ("1337", "Invalid budget", "")
    assert (new.code, new.message, new.field) == ("INVALID_VALUE", "end must be after start", "ends_at")
    assert errors.fault({}).message


def test_a_missing_permission_is_told(fake: Running, account: LinkedInAccount) -> None:
    fake.script.add(ScriptedFault(status=403, body=checks.old(403, "Not enough permissions to access: adAccounts")))
    with pytest.raises(Denied, match="needs the scope"):
        account.connect()


def test_three_of_ten_fail_alone(fake: Running, account: LinkedInAccount, ledger: WriteLedger) -> None:
    changes = [
        linkedin.change(f"g{n}", name=f"Group {n}", total_budget=-1 if n in (2, 5, 8) else 100 + n) for n in range(10)
    ]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert {key: fault.field for key, fault in applied.refused.items()} == dict.fromkeys(
        ("g2", "g5", "g8"), "total_budget"
    )
    assert len(applied.confirmed) == 7
    calls = [call.call for call in fake.script.calls]
    assert calls.count(linkedin.GROUPS) == 1, "one call for all"


def test_companies_are_targeted_and_hand_made_exclusions_stay(
    fake: Running, account: LinkedInAccount, ledger: WriteLedger
) -> None:
    changes = [
        linkedin.change("list", "audience", name="Key accounts", kind="company"),
        *(
            linkedin.change(domain, "company", doing="send", parent="change:list", domain=domain)
            for domain in ("example.com", "example.org")
        ),
        linkedin.change("aim", "ad_group", doing="update", target="2001", audiences=["change:list"]),
    ]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert (len(applied.confirmed), applied.refused) == (4, {})
    assert [one["companyWebsiteDomain"] for _, one in kept(fake).companies] == ["example.com", "example.org"]
    criteria = kept(fake).kept["adCampaigns"]["2001"]["targetingCriteria"]
    [_, clause] = criteria["include"]["and"]
    assert clause["or"]["urn:li:adTargetingFacet:audienceMatchingSegments"][0].startswith("urn:li:adSegment:")
    assert criteria["exclude"] == {"or": {"urn:li:adTargetingFacet:seniorities": ["urn:li:seniority:1"]}}
    [shown] = account.objects("ad_group", ["2001"])
    assert shown.fields["audiences"] == [ledger.object_of("list")]


def test_a_post_is_sponsored_in_a_new_campaign(fake: Running, account: LinkedInAccount, ledger: WriteLedger) -> None:
    where = ["urn:li:geo:101282230"]
    said = {
        "text": "Our guide",
        "headline": "Guide",
        "url": "https://e.org/g",
    }
    changes = [
        linkedin.change("group", name="Guides"),
        linkedin.change(
            *("aim", "ad_group"),
            **{"name": "Makers", "parent": "change:group", "locations": where, "daily_budget": 12.34, "bid": 0.1},
            **{"bid_unit": "click", "ends_at": "2027-01-01T00:00:00Z", "political": False},
        ),
        linkedin.change("post", "post", **said),
        linkedin.change("ad", "ad", name="Guide", parent="change:aim", post="change:post", status="live"),
        linkedin.change("name", "ad_group", doing="update", target="2001", name="Renamed"),
    ]
    ledger.intend(changes, 0.0)
    applied = apply(account, ledger, clock=QuickClock())
    assert (len(applied.confirmed), applied.refused) == (5, {})
    with httpx.Client(base_url=fake.url, headers=_headers()) as plain:
        key = ledger.object_of("aim")
        campaign = plain.get(f"/rest/adAccounts/{ACCOUNT}/adCampaigns/{key}").json()
        [creative] = plain.get(
            f"/rest/adAccounts/{ACCOUNT}/creatives?q=criteria&campaigns=List(urn%3Ali%3AsponsoredCampaign%3A{key})"
        ).json()["elements"]
    assert campaign["dailyBudget"] == {"amount": "12.34", "currencyCode": "EUR"}
    assert (campaign["unitCost"]["amount"], campaign["costType"]) == ("0.1", "CPC")
    assert creative["content"]["reference"] == ledger.object_of("post")
    assert creative["name"].endswith(f"[adloop {changes[3].marker}]")


def _headers() -> dict[str, str]:
    return {
        "authorization": f"Bearer {app.TOKEN}",
        "linkedin-version": "202607",
        "x-restli-protocol-version": "2.0.0",
    }


def test_what_every_call_must_have(fake: Running, account: LinkedInAccount) -> None:
    account.send(linkedin.creations(1))
    sent = [call for call in fake.script.calls if call.call.startswith("POST")]
    assert sent and all("content-length" in call.headers for call in sent)
    with httpx.Client(base_url=fake.url, headers=_headers()) as plain:
        chunked = plain.post("/rest/posts", content=iter([b"{}"]))
        unversioned = plain.get(f"/rest/adAccounts/{ACCOUNT}", headers={"linkedin-version": ""})
    assert chunked.status_code == 411
    assert (unversioned.status_code, unversioned.json()["code"]) == (400, "VERSION_MISSING")


def test_what_linkedin_did_not_grant_is_neither_offered_nor_asked_for(
    fake: Running, ledger: WriteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ORGANIZATION", "SOURCE_PLATFORM", "LEADS"):
        monkeypatch.delenv(f"ADLOOP_LINKEDIN_{name}")
    opened = connected()
    assert [one.object for one in opened.capabilities] == ["campaign", "ad_group", "ad"]
    look(ledger, opened, 1.0)
    assert set(opened.read(DAY)) == {"impressions", "creatives"}
    opened.close()
    asked = {call.call.rsplit("/", 1)[-1] for call in fake.script.calls}
    assert not asked & {"posts", "dmpSegments", "leadFormResponses"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"status": "on"}, "status"),
        ({"bid_unit": "conversion"}, "bid_unit"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"language": "English"}, "language"),
        ({"political": "no"}, "political"),
    ],
)
def test_words_that_linkedin_has_not_are_refused_by_field(
    fake: Running, account: LinkedInAccount, said: dict[str, object], field: str
) -> None:
    change = linkedin.change("x", "ad_group", name="A", parent="1001", locations=["urn:li:geo:1"], **said)
    [outcome] = account.send([change])
    assert outcome.fault is not None and outcome.fault.field == field
    assert not any(call.call.startswith("POST") for call in fake.script.calls)


def test_long_queries_are_sent_as_bodies(account: LinkedInAccount, ledger: WriteLedger) -> None:
    name = "ä" * 60 + " {}"  # each sign takes six in an address
    changes = [linkedin.change(f"g{n}", name=name.format(n)) for n in range(20)]
    ledger.intend(changes, 0.0)
    assert len(apply(account, ledger, clock=QuickClock()).confirmed) == 20
    assert len(account.find(changes)) == 20


def test_pages_end_by_token_or_by_a_short_page(fake: Running, account: LinkedInAccount) -> None:
    state, noon = kept(fake), round(datetime(2026, 10, 5, 12, tzinfo=UTC).timestamp() * 1000)
    for number in range(298):
        state.create("adCampaignGroups", {"name": f"Old {number}", "status": "PAUSED"})
    assert len(account.objects("campaign")) == 300
    state.leads = [reports.response(f"r{n}", noon, f"p{n}@example.org", "Buyer") for n in range(199)]
    tables = account.read(DAY)
    assert tables["touches"].num_rows == 200, "199 and the daily one"
    asked = [call for call in fake.script.calls if call.call.endswith("leadFormResponses")]
    assert len(asked) == 3, "two full pages and an empty one"


def test_a_day_has_figures_and_leads_without_addresses(account: LinkedInAccount) -> None:
    tables = account.read(DAY)
    [row] = tables["impressions"].to_pylist()
    assert row == {
        **{"creative_id": "2101", "campaign_id": "1001", "channel": "linkedin", "audience": "2001"},
        **{"occurred_at": datetime(2026, 10, 5), "impressions": 1005.0, "clicks": 15.0, "conversions": 3.0},
        **{"engagements": 20.0, "spend": 85.25},
    }
    [customer], [touch] = tables["customers"].to_pylist(), tables["touches"].to_pylist()
    assert customer["job_title"] == "Head of Operations"
    assert (touch["customer_id"], touch["campaign_id"]) == (customer["customer_id"], "1001")
    [asked] = tables["interactions"].to_pylist()
    assert asked == {"customer_id": customer["customer_id"], "occurred_at": touch["occurred_at"], "kind": "content"}
    assert not any(said in str([customer, touch]).lower() for said in ("ada", "lovelace"))


@pytest.mark.parametrize("body", ["<html>", "[]", "null"])
def test_an_answer_that_is_not_the_platforms_own_is_none(
    fake: Running, account: LinkedInAccount, ledger: WriteLedger, body: str
) -> None:
    changes = linkedin.creations(2)
    ledger.intend(changes, 0.0)
    fake.script.add(ScriptedFault(linkedin.GROUPS, status=200, body=body))
    assert len(apply(account, ledger, clock=QuickClock()).confirmed) == 2
    assert sorted(fake.state.markers()) == sorted(one.marker for one in changes)
