"""PostHog: dropped events, conditions of flags, guardrails, funnels, and its own client evaluating our rollouts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pytest
from posthog import Posthog

from serving.integrations.apply import apply
from serving.integrations.ledger import WriteLedger
from serving.integrations.platform import Denied, Throttled, Unanswered
from serving.integrations.posthog import rollout
from serving.integrations.posthog.account import PosthogAccount, connected
from serving.integrations.posthog.rollout import PeopleCount, judge
from tests.fakes.fake import Running, running
from tests.fakes.faults import ScriptedFault
from tests.fakes.posthog import FAKE, event, share
from tests.fakes.posthog import rollout as new_rollout
from tests.fakes.posthog.state import PROJECT, PROJECT_KEY, PosthogState

DAY = date(2026, 11, 30)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running(FAKE) as found:
        found.connect(monkeypatch.setenv)
        yield found


@pytest.fixture
def account(fake: Running) -> Iterator[PosthogAccount]:
    opened = connected()
    yield opened
    opened.close()


def state(fake: Running) -> PosthogState:
    assert isinstance(fake.state, PosthogState)
    return fake.state


def test_an_event_is_the_same_whenever_it_is_sent(fake: Running, account: PosthogAccount) -> None:
    account.send([event("one")])
    account.send([event("one")])
    first, second = state(fake).events
    keys = ("uuid", "event", "timestamp", "distinct_id")  # events merge where these are the same
    assert [first[key] for key in keys] == [second[key] for key in keys]
    assert account.find([event("one"), event("two")]) == {"one": first["uuid"]}


def test_a_lost_batch_is_sent_once(fake: Running, account: PosthogAccount) -> None:
    fake.script.add(ScriptedFault("POST /batch/", times=9, status=503, body="away"))
    with pytest.raises(Unanswered):
        account.send([event("one")])
    assert [call.call for call in fake.script.calls] == ["POST /batch/"]


def test_dropped_events_are_no_success(fake: Running, account: PosthogAccount) -> None:
    fake.script.add(ScriptedFault("POST /batch/", status=200, body={"status": 1, "quota_limited": ["events"]}))
    with pytest.raises(Denied, match="billing limit"):
        account.send([event("one")])


def test_a_throttled_query_waits_as_its_text_says(fake: Running, account: PosthogAccount) -> None:
    detail = "Request was throttled. Expected available in 42 seconds."
    fake.script.add(ScriptedFault("POST */query/", status=429, body={"detail": detail}))
    with pytest.raises(Throttled) as told:
        account.find([event("one")])
    assert told.value.wait_s == 42


def test_the_vendors_client_sees_our_rollout(fake: Running, account: PosthogAccount, ledger: WriteLedger) -> None:
    made = new_rollout("flag", name="Free delivery", key="free-delivery", status="live", percentage=30.0)
    ledger.intend([made, share("old", 100.0)], 0.0)
    assert apply(account, ledger).refused == {}
    client = Posthog(PROJECT_KEY, host=fake.url, sync_mode=True, send=False)
    people = [f"person {number}" for number in range(60)]
    seen = [client.evaluate_flags(person) for person in people]
    assert all(one.is_enabled("new-checkout") for one in seen)
    on = [one.is_enabled("free-delivery") for one in seen]
    assert on == [state(fake).enabled("free-delivery", person) for person in people]
    assert 0 < sum(on) < 40
    client.shutdown()


def test_a_taken_key_is_refused_and_the_marker_stays_in_a_new_name(
    fake: Running, account: PosthogAccount, ledger: WriteLedger
) -> None:
    taken = new_rollout("taken", name="Again", key="new-checkout")
    made = new_rollout("made", name="Gifts", key="gifts")
    ledger.intend([taken, made], 0.0)
    applied = apply(account, ledger)
    assert (applied.confirmed, applied.refused["taken"].field) == (["made"], "key")
    place = ledger.entry("made").object_id
    renamed = share("renamed", 5.0, place)
    ledger.intend([type(renamed)(**{**_fields(renamed), "fields": {"name": "Presents"}})], 0.0)
    apply(account, ledger)
    assert state(fake).flags[place]["name"] == f"Presents [adloop {made.marker}]"
    assert account.find([made]) == {"made": place}


def _fields(change: object) -> dict[str, object]:
    return {name: getattr(change, name) for name in change.__dataclass_fields__}  # type: ignore[attr-defined]


def test_conditions_and_variants_of_people_stay(fake: Running, account: PosthogAccount) -> None:
    flag = state(fake).flags["1"]
    only_germany = [{"key": "country", "value": "DE", "type": "person"}]
    flag["filters"] = {"groups": [{"properties": only_germany, "rollout_percentage": 5}], "multivariate": {"a": 1}}
    [outcome] = account.send([share("more", 20.0)])
    assert outcome.fault is None
    groups = [{"properties": only_germany, "rollout_percentage": 20.0}]
    assert state(fake).flags["1"]["filters"] == {"groups": groups, "multivariate": {"a": 1}}
    flag["filters"] = {"groups": [*groups, {"properties": [], "rollout_percentage": 1}]}
    [refused] = account.send([share("again", 50.0)])
    assert refused.fault is not None and refused.fault.field == "percentage"


def test_a_rollout_stops_on_its_guardrail(fake: Running, account: PosthogAccount, ledger: WriteLedger) -> None:
    fine = judge(5.0, PeopleCount(2_000, 20), PeopleCount(38_000, 380), tolerance=0.01)
    harmful = judge(20.0, PeopleCount(8_000, 260), PeopleCount(32_000, 320), tolerance=0.01)
    assert (fine.decision, fine.percentage) == ("go on", 20.0)
    assert (harmful.decision, harmful.percentage) == ("step back", 5.0)
    for verdict in (fine, harmful):
        asked = rollout.change(verdict, PROJECT, "1", DAY, "rollouts")
        assert asked is not None
        ledger.intend([asked], 0.0)
        assert apply(account, ledger).confirmed == [asked.change_id]
    assert state(fake).flags["1"]["filters"]["groups"][0]["rollout_percentage"] == 5.0
    told = [line.detail for line in ledger.timeline() if line.what == "intended"]
    assert told[-1].startswith("step back: harm +2.25%")


def test_the_last_step_back_switches_the_flag_off(fake: Running, account: PosthogAccount, ledger: WriteLedger) -> None:
    verdict = judge(1.0, PeopleCount(400, 60), PeopleCount(40_000, 400), tolerance=0.01)
    asked = rollout.change(verdict, PROJECT, "1", DAY, "rollouts")
    assert asked is not None and dict(asked.fields) == {"percentage": 0.0, "status": "paused"}
    ledger.intend([asked], 0.0)
    apply(account, ledger)
    assert not any(state(fake).enabled("new-checkout", f"person {number}") for number in range(50))


def test_a_rollout_waits_for_people_and_ends_at_everybody() -> None:
    assert judge(1.0, PeopleCount(30, 1), PeopleCount(3_000, 30), tolerance=0.01).decision == "wait"
    assert judge(100.0, PeopleCount(9_000, 90), PeopleCount(9_000, 90), tolerance=0.01).decision == "wait"
    with pytest.raises(ValueError, match="harmed"):
        PeopleCount(1, 2)


def test_harmless_features_are_seldom_stopped_and_harmful_ones_never_go_on() -> None:
    """Seed 7: 1,000 rollouts at 5% of 40,000 people; harm of 2% without the feature."""
    rng = np.random.default_rng(7)

    def decisions(harm: float) -> list[str]:
        with_it, without = rng.binomial(2_000, harm, 1_000), rng.binomial(38_000, 0.02, 1_000)
        pairs = zip(with_it, without, strict=True)
        return [judge(5.0, PeopleCount(2_000, int(a)), PeopleCount(38_000, int(b)), 0.01).decision for a, b in pairs]

    assert decisions(0.02).count("step back") == 0
    assert decisions(0.03).count("step back") <= 5, "harm as tolerated"
    assert decisions(0.03).count("go on") <= 80, "5% of rollouts with just the tolerated harm, and chance"
    assert decisions(0.06).count("step back") >= 950


def test_a_person_that_was_faster_is_not_overwritten(fake: Running, account: PosthogAccount) -> None:
    fake.script.add(
        ScriptedFault(
            "PATCH */feature_flags/1/", status=409, body={"detail": "Updated by somebody else.", "attr": None}
        )
    )
    [outcome] = account.send([share("more", 20.0)])
    assert outcome.fault is not None and outcome.fault.code == "409"


def test_funnels_and_interactions_are_read(fake: Running, account: PosthogAccount) -> None:
    def happened(person: str, name: str, minute: int) -> None:
        at = datetime(2026, 11, 30, 8, minute, tzinfo=UTC).isoformat()
        state(fake).events.append(
            {"uuid": f"{person}{name}", "event": name, "distinct_id": person, "timestamp": at, "properties": {}}
        )

    for number in range(10):
        happened(f"p{number}", "user logged in", 1)
        if number < 4:
            happened(f"p{number}", "ordered", 5)
    happened("early", "ordered", 0)
    account.send([event("ours", name="user logged in")])
    steps = account.funnel(["user logged in", "ordered"], DAY, date(2026, 12, 1))
    assert [(step.event, step.people) for step in steps] == [("user logged in", 11), ("ordered", 4)]
    read = account.read(DAY)["interactions"].to_pylist()
    assert [row["kind"] for row in read].count("login") == 10, "not the event that adloop sent"
    assert {"customer_id": "ann", "occurred_at": datetime(2026, 11, 30, 9), "kind": "content"} in read
