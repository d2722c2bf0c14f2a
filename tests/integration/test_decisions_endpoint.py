"""The decision endpoint as a process: who may ask, what is refused and how, what it answers when things break, and that
clients made from its OpenAPI document work."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pandas as pd
import pytest
from hypothesis import HealthCheck
from hypothesis import given as given_case
from hypothesis import settings as hypothesis

from features import store
from features.records import decisions_folder
from features.settings import Settings
from serving.access import keys
from serving.decisions.api.schemas import Ready
from serving.decisions.kinds.bid import Auction
from serving.decisions.kinds.campaign import Review
from serving.decisions.log.entry import Entry, find
from serving.decisions.state.store import CampaignSettings
from serving.inference import outcomes
from tests.integration import probe_endpoint as probe
from tests.integration.decision_endpoint import ROOT, Endpoint, asked, publish
from tests.toyland import local

SCOPES = {"/v1/decisions": "decide", "/v1/feedback": "feedback", "/v1/outcomes": "feedback", "/metrics": "metrics"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, tables: Path) -> Iterator[Endpoint]:
    """On SQLite, with the features of a small business online."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    probe.install()
    publish(tables, settings)
    found = Endpoint(settings)
    yield found
    found.server.stop()
    probe.remove()


def test_a_decision_is_made_of_the_customers_features_and_of_what_the_caller_says(endpoint: Endpoint) -> None:
    row = store.Online(endpoint.settings).read(probe.SERVICE, ["c00003"]).iloc[0]
    expected = probe.Clicks().predict(
        pd.DataFrame([{**row[["recency_days", "frequency", "plan"]], "device": "mobile", "poison": None}])
    )["predicted_ctr"][0]
    made = endpoint.decide(customer_id="c00003")
    assert set(made["versions"]) == {"clicks", "bidder"}
    bid = 1 + 2 * expected
    known = [1.5, *(pytest.approx(one) for one in (bid, bid * 1.25, bid / 1.25))]
    assert made["action"] == "bid" and any(made["amount"] == one for one in known)
    anonymous = probe.Clicks().predict(
        pd.DataFrame([{"recency_days": None, "frequency": None, "plan": None, "device": "mobile", "poison": None}])
    )["predicted_ctr"][0]
    assert expected != pytest.approx(anonymous)


def test_the_features_that_were_looked_up_are_on_record(endpoint: Endpoint) -> None:
    row = store.Online(endpoint.settings).read(probe.SERVICE, ["c00003"]).iloc[0]
    made = endpoint.decide(customer_id="c00003")
    until, found = time.monotonic() + 10, list[Entry]()
    while not found and time.monotonic() < until:
        with suppress(LookupError):
            found = find(decisions_folder(endpoint.settings.home), made["decision_id"])
    read = found[0].predictions.features
    assert {name: read[name] for name in ("recency_days", "frequency", "plan")} == dict(
        row[["recency_days", "frequency", "plan"]]
    )
    assert read["device"] == "mobile" and "poison" not in read


def test_outcomes_of_decisions_and_of_requests_are_told_at_one_address(endpoint: Endpoint) -> None:
    feedback, none = endpoint.keys["feedback"], {"joined": 0, "again": 0, "waits": 0, "ahead": 0, "flagged": 0}
    one = {"family": "churn", "request_id": "r1", "row": 2, "labels": {"churned": True}}
    others = [{"family": "ltv", "request_id": "r2", "labels": {"value": 7.5}}, {**one, "labels": {"churned": False}}]
    click = {"event_id": "c1", "account_id": "acme", "decision_id": "later", "kind": "click", "occurred_at": 1.7e9}
    assert endpoint.post("outcomes", one, feedback).json() == {**none, "recorded": 1}
    many = {"outcomes": [*others, click, {**one, "kind": "label", "row": 3}]}
    assert endpoint.post("outcomes", many, feedback).json() == {**none, "waits": 1, "recorded": 3}
    assert endpoint.post("feedback", {"events": [one, click]}, feedback).json() == {**none, "again": 1, "recorded": 1}
    told = outcomes.read(endpoint.settings.home, "churn")
    assert told.to_dict("records") == [{"request_id": "r1", "row": row, "churned": True} for row in (2, 3)]
    assert outcomes.read(endpoint.settings.home, "ltv").to_dict("records") == [
        {"request_id": "r2", "row": 0, "value": 7.5}
    ]
    refused = endpoint.post("outcomes", {**one, "family": "../keys"}, feedback)
    assert refused.status_code == 422 and refused.json()["error"]["field"] == "family"
    of_one = keys.make(endpoint.settings, "one", ["feedback"], 1e6, accounts=["acme"], families=["ltv"])
    assert endpoint.post("outcomes", {"outcomes": [click]}, of_one).status_code == 200
    assert endpoint.post("outcomes", {"outcomes": [{**click, "account_id": "other"}]}, of_one).status_code == 403
    assert endpoint.post("outcomes", {"outcomes": [click, others[0]]}, of_one).status_code == 403
    of_family = keys.make(endpoint.settings, "family", ["feedback"], 1e6, families=["ltv"])
    assert endpoint.post("outcomes", others[0], of_family).status_code == 200
    assert endpoint.post("outcomes", one, of_family).status_code == 403
    assert endpoint.post("outcomes", one, endpoint.keys["decide"]).status_code == 403


def test_a_batch_is_its_singles(endpoint: Endpoint) -> None:
    customers = [None, "c00001", "c00002", "nobody", "c00005"]
    many = [
        asked(customer_id=customers[place % 5], features={"device": "mobile", "poison": place % 4 if place > 20 else 0})
        for place in range(40)
    ]
    together = endpoint.post("decisions", {"opportunities": many}).json()["decisions"]
    alone = [endpoint.post("decisions", one).json() for one in many]
    for one in [*together, *alone]:  # those asked again are what was reserved: in millionths, and with a note
        one["amount"] = one["amount"] and pytest.approx(one["amount"], abs=2e-6)
        one["guardrails"] = [touch for touch in one["guardrails"] if touch["guardrail"] != "reservation"]
    assert together == alone
    assert {one["arm"] for one in together} >= {"policy", "fallback"}
    assert (
        len(endpoint.post("decisions", {"opportunities": [asked() for _ in range(1000)]}).json()["decisions"]) == 1000
    )


@pytest.mark.parametrize("poison", [1, 2])
def test_a_model_that_throws_or_answers_nan_makes_a_conservative_bid(endpoint: Endpoint, poison: int) -> None:
    made = endpoint.decide(features={"poison": poison})
    assert (made["arm"], made["amount"]) == ("fallback", 0.75)
    assert "clicks" in made["reason"]


def test_a_feature_of_the_wrong_type_is_named_in_a_conservative_bid(endpoint: Endpoint) -> None:
    made = endpoint.decide(features={"recency_days": "soon"})
    assert made["arm"] == "fallback"
    assert "feature 'recency_days': expected a finite number, got 'soon'" in made["reason"]


def test_only_a_known_key_with_the_scope_may_ask(endpoint: Endpoint) -> None:
    for wrong in ("none", "adloop_000000000000_" + "A" * 43, endpoint.keys["decide"][:-1] + "!", "ä"):
        answer = local.post(
            f"{endpoint.url}/v1/decisions", json=asked(), headers={b"authorization": f"Bearer {wrong}".encode()}
        )
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert wrong not in answer.text or wrong == "none"
    assert local.post(f"{endpoint.url}/v1/decisions", json=asked()).status_code == 401
    for path, scope in (
        ("decisions", "feedback"),
        ("feedback", "decide"),
        ("kill", "decide"),
        ("override", "feedback"),
        ("campaigns", "decide"),
        ("accounts", "feedback"),
    ):
        answer = endpoint.post(path, {}, endpoint.keys[scope])
        assert answer.status_code == 403
        assert f"the key '{scope}' has no scope" in answer.json()["error"]["message"]


def test_keys_are_rotated_without_a_restart(endpoint: Endpoint) -> None:
    old = keys.make(endpoint.settings, "rotated", ["decide"], 1e6)
    assert endpoint.post("decisions", asked(), old).status_code == 200
    keys.revoke(endpoint.settings, "rotated")
    new = keys.make(endpoint.settings, "rotated", ["decide"], 1e6)
    assert endpoint.post("decisions", asked(), old).status_code == 401
    assert endpoint.post("decisions", asked(), new).status_code == 200


def test_a_key_that_asks_too_much_is_told_when_to_come_back(endpoint: Endpoint) -> None:
    slow = keys.make(endpoint.settings, "slow", ["decide"], 2)
    assert endpoint.post("decisions", {"opportunities": [asked() for _ in range(6)]}, slow).status_code == 200
    refused = endpoint.post("decisions", asked(), slow)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 2
    time.sleep(int(refused.headers["retry-after"]))
    assert endpoint.post("decisions", asked(), slow).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[" * 100_000, 400, None),
        (b'{"opportunity_id": NaN}', 400, None),
        (b"\xff\xfe", 400, None),
        ([], 422, "body"),
        ({}, 422, "opportunity_id"),
        ({"opportunities": []}, 422, "opportunities"),
        ({"opportunities": [{}] * 1001}, 422, "opportunities"),
        ({"opportunities": [1]}, 422, "opportunities[0]"),
        ({"opportunities": [asked()], "seed": 1}, 422, "seed"),
        (asked(hour=24), 422, "hour"),
        (asked(hour=True), 422, "hour"),
        (asked(occurred_at="now"), 422, "occurred_at"),
        (asked(occurred_at=-1), 422, "occurred_at"),
        (asked(floor_price=1e300), 422, "floor_price"),
        (asked(account_id="a\x1fb"), 422, "account_id"),
        (asked(campaign_id="x" * 257), 422, "campaign_id"),
        (asked(features={"a": [1, "two"]}), 422, "features.a"),
        (asked(asked="everything"), 422, "asked"),
        (asked(asked="customer"), 422, "customer_id"),
        (asked(bid=3), 422, "bid"),
    ],
)
def test_what_is_wrong_is_named(endpoint: Endpoint, body: Any, status: int, field: str | None) -> None:
    answer = endpoint.post("decisions", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].get("field") == field


def test_a_body_beyond_the_limit_is_refused_by_its_header_and_as_it_comes(endpoint: Endpoint) -> None:
    large = b'{"opportunities": [' + b" " * (5 << 20) + b"]}"
    assert endpoint.post("decisions", large).status_code == 413
    given = {"authorization": f"Bearer {endpoint.keys['decide']}"}
    parts = (large[start : start + 65536] for start in range(0, len(large), 65536))
    with suppress(httpx.WriteError):  # it may hang up in the middle of the body
        assert local.post(f"{endpoint.url}/v1/decisions", content=parts, headers=given).status_code == 413
    assert endpoint.decide()["action"] == "bid"


def test_a_stop_and_a_persons_word_hold_at_once(endpoint: Endpoint) -> None:
    place = {"account_id": "acme", "campaign_id": "spring"}
    said = {**place, "stands": "yes", "bid": 0.5, "why": "launch week"}
    assert endpoint.post("override", said).json()["override"] == {"bid": 0.5, "by": "admin", "why": "launch week"}
    made = endpoint.decide()
    assert (made["arm"], made["amount"]) == ("override", 0.5)
    assert endpoint.post("override", {**place, "stands": "no", "why": "over"}).status_code == 200
    assert endpoint.decide()["arm"] in ("policy", "baseline")
    assert endpoint.post("kill", {**place, "why": "spend looks wrong"}).status_code == 200
    made = endpoint.decide()
    assert (made["action"], made["arm"]) == ("hold", "killed")
    assert endpoint.post("kill", {**place, "why": None}).status_code == 200
    assert endpoint.decide()["action"] == "bid"
    assert endpoint.post("kill", {"campaign_id": "spring", "why": "x"}).json()["error"]["field"] == "account_id"


def test_an_admin_of_one_account_changes_and_sees_no_other(endpoint: Endpoint) -> None:
    key = keys.make(endpoint.settings, "of acme", ["admin"], 1e6, accounts=["acme"])
    bodies = {
        "campaigns": {"campaign_id": "winter", "daily_limit": 1.0},
        "accounts": {"limit": None},
        "kill": {"campaign_id": "winter", "why": None},
        "override": {"campaign_id": "winter", "stands": "no", "why": "over"},
    }
    for account, status in (("acme", 200), ("beta", 403)):
        for path, body in bodies.items():
            assert endpoint.post(path, {"account_id": account, **body}, key).status_code == status, path
        url, given = f"{endpoint.url}/v1/budgets?account_id={account}", {"authorization": f"Bearer {key}"}
        assert local.get(url, headers=given, timeout=30).status_code == status
    assert endpoint.post("kill", {"why": "all of it"}, key).status_code == 403
    assert local.get(f"{endpoint.url}/v1/budgets", headers=given, timeout=30).status_code == 403
    assert endpoint.state.budgets("beta") == [] and endpoint.state.stopped() is None


def test_a_campaign_spends_what_it_was_given_and_its_account_was(endpoint: Endpoint) -> None:
    place = {"account_id": "new", "campaign_id": "autumn"}
    assert endpoint.decide(**place)["reason"] == "no bid: the campaign has no budget"
    given = {**place, "daily_limit": 40, "target_cpc": 0.8, "shares": {"channel": {"search": 1}}, "candidates": ["x"]}
    answer = endpoint.post("campaigns", given)
    assert (answer.status_code, answer.json()) == (200, given)
    assert endpoint.decide(**place)["action"] == "bid"
    looked = endpoint.state.load([Review("look", time.time(), "new", "autumn")], "")[0]
    assert (looked.campaign.daily_limit, looked.target_cpc, looked.account.daily_limit) == (40.0, 0.8, None)
    assert looked.segments["channel"]["search"].share == 1.0 and looked.segments["keyword"]["x"].paused
    assert endpoint.post("accounts", {"account_id": "new", "daily_limit": 0.001, "limit": None}).status_code == 200
    assert endpoint.decide(**place)["reason"] == "no bid: the account's daily budget is spent"


@pytest.mark.parametrize(
    ("path", "changed", "field"),
    [
        ("campaigns", {"daily_limit": -1}, "daily_limit"),
        ("campaigns", {"daily_limit": None}, "daily_limit"),
        ("campaigns", {"shares": {"moon": {"x": 0.5}}}, "shares.moon"),
        ("campaigns", {"shares": {"channel": {"search": 1.5}}}, "shares.channel.search"),
        ("campaigns", {"candidates": ["a\u0000"]}, "candidates[0]"),
        ("accounts", {"limit": "much"}, "limit"),
    ],
)
def test_terms_that_are_none_are_refused_by_name(endpoint: Endpoint, path: str, changed: Any, field: str) -> None:
    whole = {"campaigns": {"campaign_id": "c", "daily_limit": 1}, "accounts": {"daily_limit": 1, "limit": None}}[path]
    answer = endpoint.post(path, {"account_id": "wrong", **whole, **changed})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_feedback_is_counted_once(endpoint: Endpoint) -> None:
    made = endpoint.decide(campaign_id="counted")
    endpoint.state.configure("acme", "counted", CampaignSettings(daily_limit=100))
    made = endpoint.decide(campaign_id="counted")
    event = {"event_id": f"e-{made['decision_id']}", "account_id": "acme", "decision_id": made["decision_id"]}
    click = {**event, "kind": "click", "occurred_at": time.time(), "cost": 0.25}
    first = endpoint.post("feedback", click)
    assert first.status_code == 200, first.text
    assert endpoint.post("feedback", {"events": [click, click]}).json()["again"] == 2

    def spent() -> float:
        looked = Auction("look", time.time(), "acme", "counted")
        return endpoint.state.load([looked], "")[0].campaign.total

    until = time.monotonic() + 10
    while spent() == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert spent() == 0.25


def test_a_decisions_cost_is_charged_once_and_what_is_strange_is_told(endpoint: Endpoint) -> None:
    endpoint.state.configure("acme", "strange", CampaignSettings(daily_limit=100))
    made = endpoint.decide(campaign_id="strange")
    told = {"account_id": "acme", "decision_id": made["decision_id"], "occurred_at": time.time()}
    kinds, cost = ("impression", "click", "impression", "conversion"), 500 * made["amount"]
    events = [
        {**told, "event_id": f"{made['decision_id']}-{at}", "kind": kind, "cost": cost} for at, kind in enumerate(kinds)
    ]
    until = time.monotonic() + 10
    assert endpoint.post("feedback", {"events": events}).status_code == 200
    late = {**told, "event_id": "late", "kind": "click", "occurred_at": time.time() + 86_400}
    assert endpoint.post("feedback", late).json() == {
        **dict.fromkeys(("joined", "again", "waits", "flagged", "recorded"), 0),
        "ahead": 1,
    }
    for wrong, field in (
        ({"kind": "loss", "cost": 1}, "cost"),
        ({"kind": "correction"}, "cost"),
        ({"value": 3}, "value"),
    ):
        answer = endpoint.post("feedback", {**late, **wrong})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)

    def spend() -> float:
        return endpoint.state.load([Auction("look", time.time(), "acme", "strange")], "")[0].campaign.total

    while spend() == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert spend() == pytest.approx(cost)
    assert endpoint.decide(campaign_id="strange")["reason"] == "no bid: the campaign's daily budget is spent"
    assert 'adloop_costs_flagged_total{why="above"} 1.0' in endpoint.metrics()
    ready = local.get(f"{endpoint.url}/health/ready").json()
    assert ready["feedback"] == {"state": "counting", "set_aside": 0}
    corrected = {**told, "event_id": "corrected", "kind": "correction", "cost": made["amount"]}
    assert endpoint.post("feedback", corrected).json()["joined"] == 1
    assert spend() == pytest.approx(made["amount"])
    assert endpoint.decide(campaign_id="strange")["action"] == "bid"


def test_health_metrics_and_the_document_need_no_key(endpoint: Endpoint) -> None:
    endpoint.decide(features={"poison": 1})
    assert local.get(f"{endpoint.url}/health/live").json() == {"alive": True}
    ready = local.get(f"{endpoint.url}/health/ready").json()
    assert ready["ready"] and set(ready["models"]) == {"clicks", "bidder"}
    assert set(ready) <= set(Ready.__annotations__), "the document tells of all that is answered"
    told = endpoint.metrics()
    assert 'adloop_decisions_total{action="bid",arm="fallback"}' in told
    assert 'adloop_guardrails_total{guardrail="fallback"}' in told
    assert 'adloop_request_seconds_count{path="/v1/decisions",status="200"}' in told
    document = local.get(f"{endpoint.url}/openapi.json").json()
    assert document["paths"]["/v1/decisions"]["post"]["security"] == [{"key": ["decide"]}]


def test_no_secret_is_written_anywhere(endpoint: Endpoint) -> None:
    endpoint.post("decisions", b"{", endpoint.keys["decide"])
    secrets = [
        key.rpartition("_")[2] if key.count("_") == 2 else key.split("_", 2)[2] for key in endpoint.keys.values()
    ]
    written = [path for path in endpoint.settings.home.rglob("*") if path.is_file()]
    assert any(path.name == "api.json" for path in written)
    for path in written:
        assert not any(secret.encode() in path.read_bytes() for secret in secrets), path


def test_a_bundle_takes_over_while_requests_run(endpoint: Endpoint) -> None:
    stop, answers = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            answers.append(endpoint.decide(features={}))

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(ask) for _ in range(3)]
        before = local.get(f"{endpoint.url}/health/ready").json()["models"]["bidder"]
        probe.write(endpoint.settings.home / "models" / "bidder", "bidder", probe.Bidder(shift=1.0), endpoint.settings)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            after = local.get(f"{endpoint.url}/health/ready").json()["models"]["bidder"]
            if after != before:
                break
            time.sleep(0.1)
        count = len(answers)
        while len(answers) < count + 30:
            time.sleep(0.05)
        stop.set()
        for one in running:
            one.result()
    assert {one["versions"]["bidder"] for one in answers} == {before, after}
    ctr = probe.Clicks().predict(
        pd.DataFrame([{"recency_days": None, "frequency": None, "plan": None, "device": None, "poison": None}])
    )["predicted_ctr"][0]
    for made in (one for one in answers if one["arm"] == "policy" and not one["explored"]):
        shift = 1.0 if made["versions"]["bidder"] == after else 0.0
        assert made["amount"] == pytest.approx(1 + 2 * ctr + shift)
    # One that was tampered with is not taken.
    (endpoint.settings.home / "models" / "bidder" / "model" / "model.json").write_text('{"shift": 2.0}')
    (endpoint.settings.home / "models" / "bidder" / "files.json").write_text("{}")
    time.sleep(2.5)
    assert endpoint.decide()["versions"]["bidder"] == after
    assert 'adloop_faults_total{what="bundle"} 1.0' in endpoint.metrics()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_the_smoke_test_of_a_deployment_gets_a_decision_that_spends_nothing(endpoint: Endpoint) -> None:
    key = {"ADLOOP_API_KEY": endpoint.keys["decide"]}
    smoke = [ROOT / "infra" / "deploy" / "smoke.sh", endpoint.url]
    done = subprocess.run(smoke, env={**os.environ, **key}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    decided = json.loads(done.stdout)
    assert (decided["account_id"], decided["amount"]) == ("smoke", None), decided
    wrong = {**os.environ, "ADLOOP_API_KEY": endpoint.keys["metrics"]}
    assert subprocess.run(smoke, env=wrong, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_is_as_the_document_says(endpoint: Endpoint, mode: str) -> None:
    schemathesis = pytest.importorskip("schemathesis")  # here: every worker imports this module, and it takes a second
    from schemathesis.specs.openapi import checks as named

    document = schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")
    checks = [named.response_schema_conformance, named.status_code_conformance, named.content_type_conformance]
    seen: dict[str, set[int]] = {}
    for result in document.get_all_operations():
        operation = result.ok()
        strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

        @given_case(case=strategy)
        @hypothesis(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(case: schemathesis.Case) -> None:
            # The keys that may: a request is refused for what it says, not for who says it.
            scope = SCOPES.get(case.path, "admin")
            answer = case.call(headers={"authorization": f"Bearer {endpoint.keys[scope]}"})
            seen.setdefault(f"{case.method} {case.path}", set()).add(answer.status_code)
            assert answer.status_code < (300 if mode == "positive" else 500), (case.body, answer.text)
            case.validate_response(answer, checks=checks)

        if mode == "negative" and operation.method.upper() == "GET":
            continue  # a request with nothing in it cannot be wrong
        holds()
    asked_for = {
        f"POST /v1/{path}"
        for path in ("decisions", "feedback", "outcomes", "campaigns", "accounts", "kill", "override")
    }
    assert set(seen) >= asked_for
    assert mode == "positive" or all({400, 422} & statuses for statuses in seen.values()), seen
    assert endpoint.post("kill", {"why": None}).status_code == 200
    assert endpoint.decide()["action"] in ("bid", "hold")


@pytest.fixture(scope="module")
def client(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Pydantic models generated from the document, as a client's author would."""
    from datamodel_code_generator import DataModelType, InputFileType, generate

    made = tmp_path_factory.mktemp("client") / "adloop_client.py"
    generate(
        local.get(f"{endpoint.url}/openapi.json").text,
        input_file_type=InputFileType.OpenAPI,
        output=made,
        output_model_type=DataModelType.PydanticV2BaseModel,
    )
    return _imported(made)


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_generated_client_asks_and_understands_the_answers(endpoint: Endpoint, client: ModuleType) -> None:
    terms = client.Campaign(account_id="acme", campaign_id="spring", daily_limit=1e6, target_cpc=0.8)
    said = endpoint.post("campaigns", terms.model_dump_json(exclude_unset=True).encode())
    assert client.Campaign.model_validate_json(said.text).target_cpc == 0.8

    one = client.Auction(**asked())
    answer = endpoint.post("decisions", one.model_dump_json(exclude_unset=True).encode())
    made = client.Decision.model_validate_json(answer.text)
    assert made.versions.keys() == answer.json()["versions"].keys() != set()
    batch = client.Opportunities(opportunities=[client.Auction(**asked()) for _ in range(3)])
    answers = endpoint.post("decisions", batch.model_dump_json(exclude_unset=True).encode())
    assert len(client.Decisions.model_validate_json(answers.text).decisions) == 3

    event = client.Click(
        event_id="e1", account_id="acme", decision_id=made.decision_id, kind="click", occurred_at=1.0, cost=0.1
    )
    told = endpoint.post("outcomes", event.model_dump_json(exclude_unset=True).encode())
    assert client.OutcomeCounts.model_validate_json(told.text)
    refused = endpoint.post("decisions", {**asked(), "hour": 25})
    assert client.Refusal.model_validate_json(refused.text).error.field == "hour"


def test_a_generated_client_understands_the_findings_of_a_look(endpoint: Endpoint, client: ModuleType) -> None:
    """A campaign that spent most of its budget: what triggered and with which evidence is an object, not a text."""
    endpoint.post("campaigns", {"account_id": "acme", "campaign_id": "spent", "daily_limit": 1.0, "target_cpc": 0.1})
    for number in range(3):
        bid = endpoint.decide(campaign_id="spent", current_bid=0.4, opportunity_id=f"s{number}")
        if bid["action"] == "bid":
            told = {"event_id": f"s{number}", "account_id": "acme", "decision_id": bid["decision_id"]}
            endpoint.post("feedback", {**told, "kind": "click", "occurred_at": 1.0, "cost": bid["amount"]})
    looked = endpoint.post("decisions", asked(campaign_id="spent", asked="campaign"))
    made = client.Decision.model_validate_json(looked.text)
    assert [one.name for one in made.triggers] == [one["name"] for one in looked.json()["triggers"]] != []
    assert json.loads(made.triggers[0].model_dump_json())["evidence"] == looked.json()["triggers"][0]["evidence"]


def test_names_of_operations_are_for_people(endpoint: Endpoint) -> None:
    document = local.get(f"{endpoint.url}/openapi.json").json()
    named = {way["operationId"] for path in document["paths"].values() for way in path.values()}
    assert named >= {"decide", "tell", "set_campaign", "set_account", "kill", "override", "ready"}
