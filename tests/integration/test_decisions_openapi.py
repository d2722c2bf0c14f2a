"""Clients made from the OpenAPI document work: what it allows is answered, and every answer is as it says."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings

from features.settings import Settings
from tests.integration.decision_endpoint import Endpoint, asked
from tests.toyland import local

SCOPES = {"/v1/decisions": "decide", "/v1/feedback": "feedback", "/v1/outcomes": "feedback", "/metrics": "metrics"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    found = Endpoint(Settings(home=tmp_path_factory.mktemp("home")))
    yield found
    found.server.stop()


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

        @given(case=strategy)
        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
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
