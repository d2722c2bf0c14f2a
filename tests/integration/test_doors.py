"""The one address of `adloop serve`, as clients that nobody here wrote and strangers knock at it; and what they find
there when what it started dies."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck
from hypothesis import given as given_case
from hypothesis import settings as hypothesis
from kserve import InferenceGRPCClient, InferenceRESTClient, InferResponse, RESTConfig
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

from features.settings import Settings
from models.registry import Registry
from serving.access import keys, own
from serving.rollout.processes import free_port
from tests.integration.asked import INSTANCES, PLAIN, request
from tests.integration.serving_process import ROOT, Serving, started, stops_while_it_mends_and_is_busy, wait
from tests.toyland import local

#: The key of the endpoint that drafts texts.
DRAFTER_KEY = "key-of-drafts"
SERVICE = "/inference.GRPCInferenceService/"


@dataclass(frozen=True)
class Served(Serving):
    """`adloop serve` with the probe released and decisions and texts beside it."""

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.settings.port}"

    def behind(self, protocol: str) -> str:
        """The model server itself, which Envoy stands before."""
        lines = (" ".join(child.cmdline()).split() for child in self.children())
        mine = next(line for line in lines if "--grpc-port" in line)
        return f"127.0.0.1:{mine[mine.index(f'--{protocol}-port') + 1]}"

    def key(self, *scopes: keys.Scope, **limits: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {keys.make(self.settings, 'test', scopes, 1e6, **limits)}"}

    def answers(self) -> list[float]:
        """What the probe answers of the rows, asked by plain JSON."""
        predict = f"{self.url}/v1/models/probe:predict"
        answer = local.post(predict, json={"instances": INSTANCES}, headers=own.header(self.settings), timeout=30)
        return [one["probability"] for one in answer.raise_for_status().json()["predictions"]]

    def decision(self) -> str:
        """The id of its decision on one opportunity, which is always the same."""
        one = {"opportunity_id": "o", "occurred_at": time.time(), "account_id": "a", "campaign_id": "c"}
        answer = local.post(f"{self.url}/v1/decisions", json=one, headers=own.header(self.settings), timeout=30)
        return str(answer.raise_for_status().json()["decision_id"])


@pytest.fixture(scope="module")
def damaged(released_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Started where the probe's bundle is damaged."""
    home = shutil.copytree(released_home, tmp_path_factory.mktemp("doors") / "home")
    settings = Settings(home=home, port=free_port())
    weights = Registry(settings).download("probe", "1") / "model" / "probe.json"
    weights.write_bytes(weights.read_bytes().replace(b"1", b"2", 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADLOOP_DRAFTER_KEY", DRAFTER_KEY)
        with started(settings) as serving:
            assert serving.line() == f"serving decisions, texts at {serving.url}\n"
            assert str(own.path(settings)) in serving.line()
            yield Served(serving.process, serving.log, settings)


@pytest.fixture(scope="module")
def served(damaged: Served) -> Served:
    """With the bundle mended."""
    shutil.rmtree(_bundle(damaged))
    wait(lambda: damaged.predict() == 200)
    return damaged


def _bundle(serving: Served) -> Path:
    return serving.settings.home / "bundles" / "probe" / "1"


def test_a_damaged_bundle_is_left_out_by_name(damaged: Served) -> None:
    """Before all others, which need it mended."""
    assert (damaged.predict(), damaged.decides()) == (404, 401)
    told = damaged.health()["left_out"]["probe"]
    assert "model/probe.json" in told and f"remove {_bundle(damaged)}" in told
    assert told in damaged.log.read_text()


def test_no_server_is_given_the_key_of_another(served: Served) -> None:
    assert DRAFTER_KEY in served.child("serving.texts").environ().values()
    for word in ("serving.decisions", "--bundle", "forks model servers"):
        assert DRAFTER_KEY not in served.child(word).environ().values()


def test_a_mended_bundle_comes_back(served: Served) -> None:
    assert served.health()["left_out"] == {}


@pytest.mark.parametrize("protocol", ["http", "grpc"])
@pytest.mark.parametrize("where", ["edge", "server"])
def test_tritons_client_works_with_its_defaults(served: Served, protocol: str, where: str) -> None:
    place = served.place if where == "edge" else served.behind(protocol)
    command = [sys.executable, "-m", "tests.integration.triton_client", protocol, place]
    asked = subprocess.run([*command, json.dumps(own.header(served.settings))], cwd=ROOT, stdout=subprocess.PIPE)
    said = json.loads(asked.stdout)
    assert (said["live"], said["ready"], said["model_ready"]) == (True, True, [True, True])
    assert "model_repository" not in said["metadata"] and "recency" in said["model_metadata"]
    answers, bands = served.answers(), ["low", "low"]
    for name in ("plain", "version", "named", "claims"):
        assert said[name] == [pytest.approx(answers), bands], name
    assert said["one_output"] == [pytest.approx(answers), None]
    assert protocol == "grpc" or said["json_output"] == [pytest.approx(answers), bands]
    assert "version '9' is not served, expected '1'" in said["unknown_version"]
    assert ("there are: probe" if where == "edge" else "nobody") in said["unknown_model"]
    assert "authorization: Bearer" in said["no_key"]
    for name in ("load", "unload", "index"):
        assert said[name].startswith("refused: [404]" if protocol == "http" else "refused: [StatusCode.UNIMPLEMENTED]")


def test_kserves_clients_work_with_their_defaults(served: Served) -> None:
    given = own.header(served.settings)

    async def ask() -> list[Any]:
        v1, v2 = InferenceRESTClient(), InferenceRESTClient(RESTConfig(protocol="v2"))
        over_grpc = InferenceGRPCClient(served.place)
        assert await v1.is_server_live(served.url) and await v1.is_model_ready(served.url, "probe")
        assert await v2.is_server_ready(served.url) and await v2.is_server_live(served.url)
        assert await v2.is_model_ready(served.url, "probe")
        assert await over_grpc.is_server_ready() and await over_grpc.is_server_live()
        assert await over_grpc.is_model_ready("probe")
        first = await v1.infer(served.url, {"instances": INSTANCES}, model_name="probe", headers=dict(given))
        second = await v2.infer(served.url, request(), model_name="probe", headers=dict(given))
        third = await over_grpc.infer(request(), headers=list(given.items()))
        why = await v1.explain(served.url, "probe", {"instances": INSTANCES}, headers=dict(given))
        assert len(why["explanations"]) == 2
        for client in (v1, v2, over_grpc):
            await client.close()
        tensor = [one.get_output_by_name("probability").as_numpy().tolist() for one in (second, third)]
        return [[row["probability"] for row in first["predictions"]], *tensor]

    assert asyncio.run(ask()) == [pytest.approx(served.answers())] * 3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/v2/repository/{what}") for what in ("index", "models/probe/load", "models/probe/unload")),
        ("POST", "/v2/repository/models/probe/versions/1/unload"),
        ("POST", "/V2/repository/models/probe/unload"),
        ("POST", "/v1/models/probe/../../../v2/repository/models/probe/unload"),
        ("POST", "/v1/models/probe/%2e%2e/%2e%2e/v2/repository/models/probe/unload"),
        ("POST", "//v2/repository/models/probe/unload"),
        ("POST", "/v2/models/probe/unload"),
        *(("POST", path) for path in ("/v1/kill", "/v1/campaigns", "/v1/accounts", "/v1/override")),
        *(("GET", path) for path in ("/v1/budgets", "/stats", "/config_dump", "/v2/logging", "/openai/v1/models")),
    ],
)
def test_nothing_that_changes_state_is_reached(served: Served, method: str, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.settings.port), timeout=30) as sent:  # as it is, not made tidy
        given = own.header(served.settings)["authorization"]
        head = f"{method} {path} HTTP/1.1\r\nhost: a\r\nauthorization: {given}\r\nconnection: close\r\n"
        sent.sendall(f"{head}content-length: 2\r\n\r\n{{}}".encode())
        assert sent.recv(4096).split()[1] in (b"404", b"400", b"405")
    served.answers()


@pytest.mark.parametrize("where", ["edge", "server"])
@pytest.mark.parametrize(
    "name",
    ["RepositoryModelUnload", "RepositoryModelLoad", "RepositoryIndex", "ModelConfig", "TraceSetting", "Nothing"],
)
def test_no_method_of_grpc_that_changes_state_is_reached(served: Served, where: str, name: str) -> None:
    place = served.place if where == "edge" else served.behind("grpc")
    with grpc.insecure_channel(place) as channel:
        call = channel.unary_unary(SERVICE + name)
        with pytest.raises(grpc.RpcError) as refused:
            call(
                b"\x0a\x05probe", metadata=[*own.header(served.settings).items(), ("x-model-name", "probe")], timeout=30
            )
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    served.answers()


@pytest.mark.parametrize("path", ["v1/models/probe:predict", "v1/models/probe:explain", "v2/models/probe/infer"])
def test_a_model_answers_only_a_key_that_is_for_it(served: Served, path: str) -> None:
    body = PLAIN if path.startswith("v2") else {"instances": INSTANCES}
    scope: keys.Scope = "explain" if path.endswith("explain") else "predict"
    other: keys.Scope = "predict" if scope == "explain" else "explain"
    known = own.key(served.settings)
    for given, status, word in (
        ({}, 401, "authorization"),
        ({"authorization": known}, 401, "authorization"),
        ({"authorization": f"Bearer {known[:-1]}-"}, 401, "authorization"),
        (served.key(other, "decide", "feedback", "admin"), 403, f"no scope '{scope}'"),
        (served.key(scope, families=["churn"]), 403, "not for the family 'probe'"),
        (served.key(scope, families=["churn", "probe"]), 200, ""),
        (served.key(scope), 200, ""),
    ):
        answer = local.post(f"{served.url}/{path}", json=body, headers=given, timeout=30)
        assert (answer.status_code, word in answer.text) == (status, True), answer.text
        deep = local.post(f"{served.url}/{path}", content=b"[" * 100_000, headers=given, timeout=30)
        assert deep.status_code == (400 if status == 200 else status)  # refused before the body is read


def test_an_explanation_asked_by_a_parameter_needs_its_scope(served: Served) -> None:
    body = {"parameters": {"explain": True}, **PLAIN}
    for given, status in ((served.key("predict"), 403), (served.key("predict", "explain"), 200)):
        assert local.post(f"{served.url}/v2/models/probe/infer", json=body, headers=given).status_code == status


def test_grpc_asks_for_the_same_key(served: Served) -> None:
    for given, code in (
        ({}, grpc.StatusCode.UNAUTHENTICATED),
        (served.key("explain"), grpc.StatusCode.PERMISSION_DENIED),
        (served.key("predict", families=["ltv"]), grpc.StatusCode.PERMISSION_DENIED),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            over_grpc(served, given)
        assert refused.value.code() is code
    assert over_grpc(served, served.key("predict")) == pytest.approx(served.answers())


def over_grpc(served: Served, given: dict[str, str]) -> list[float]:
    with grpc.insecure_channel(served.place) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        found = stub.ModelInfer(request().to_grpc(), metadata=list(given.items()), timeout=30)
    return InferResponse.from_grpc(found).get_output_by_name("probability").as_numpy().tolist()


def test_a_revoked_key_is_refused_at_once(served: Served) -> None:
    given = {"authorization": f"Bearer {keys.make(served.settings, 'gone', ['predict'], 1)}"}
    predict = f"{served.url}/v1/models/probe:predict"
    assert local.post(predict, json={"instances": INSTANCES}, headers=given).status_code == 200
    keys.revoke(served.settings, "gone")
    assert local.post(predict, json={"instances": INSTANCES}, headers=given).status_code == 401


@pytest.mark.parametrize(
    ("asked", "limits", "lacks"),
    [
        ({}, {"accounts": ["acme"]}, None),
        ({"account_id": "beta"}, {"accounts": ["acme"]}, "not for the account 'beta'"),
        ({}, {"families": ["churn", "ltv"]}, "not for the family 'bidding'"),
        ({"asked": "customer", "customer_id": "c"}, {"families": ["churn"]}, "not for the family 'ltv'"),
        ({"asked": "customer", "customer_id": "c"}, {"families": ["churn", "ltv"]}, None),
        ({"asked": "campaign"}, {"families": []}, None),
    ],
)
def test_a_decision_is_made_for_the_accounts_and_families_of_the_key(
    served: Served, asked: dict[str, Any], limits: dict[str, Any], lacks: str | None
) -> None:
    one = {"opportunity_id": "a", "occurred_at": time.time(), "account_id": "acme", "campaign_id": "c", **asked}
    key = served.key("decide", "feedback", **limits)
    for body in (one, {"opportunities": [{**one, "account_id": "acme", "asked": "campaign"}, one]}):
        answer = local.post(f"{served.url}/v1/decisions", json=body, headers=key, timeout=30)
        assert answer.status_code == (200 if lacks is None else 403), answer.text
        assert lacks is None or lacks in answer.json()["error"]["message"]


def test_feedback_is_taken_for_the_accounts_of_the_key(served: Served) -> None:
    key = served.key("feedback", accounts=["acme"])
    event = {"event_id": "e", "decision_id": "d", "kind": "click", "occurred_at": time.time()}
    for account, status in (("acme", 200), ("beta", 403)):
        body = {"events": [{**event, "account_id": "acme"}, {**event, "account_id": account}]}
        assert local.post(f"{served.url}/v1/feedback", json=body, headers=key, timeout=30).status_code == status


def test_what_is_said_of_all_lies_at_the_same_address(served: Served) -> None:
    health = local.get(f"{served.url}/health/ready", timeout=30)
    assert (health.status_code == 200) is health.json()["ready"]
    assert (health.json()["serving"], health.json()["faults"]) == ({"probe": "1"}, {})
    for path in ("/", "/health/live", "/v2/health/live", "/v2/health/ready", "/v2", "/v2/models/probe"):
        assert local.get(served.url + path, timeout=30).status_code == 200, path
    assert local.get(f"{served.url}/v2/models").json() == {"models": ["probe"]}
    assert local.get(f"{served.url}/v1/models").json() == {"models": ["probe"]}
    assert "openapi.json" in local.get(f"{served.url}/docs").text
    absent = local.post(f"{served.url}/v1/models/nobody:predict", json={})
    assert (absent.status_code, "there are: probe" in absent.json()["error"]) == (404, True)
    document = local.get(f"{served.url}/openapi.json", timeout=30).json()
    assert {"/v1/decisions", "/v1/feedback", "/v1/models/probe:predict", "/v2/models/probe/infer"} <= set(
        document["paths"]
    )
    assert not {path for path in document["paths"] if "repository" in path or "kill" in path}


@pytest.mark.parametrize("path", ["decisions", "feedback"])
@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"opportunity_id": "\\ud800"}', b"\xff\xfe", b"9" * 5000, b"NaN"]
)
def test_a_body_made_to_break_a_reader_is_refused_by_decisions(served: Served, path: str, body: bytes) -> None:
    answer = local.post(f"{served.url}/v1/{path}", content=body, headers=served.key("decide", "feedback"), timeout=30)
    assert answer.status_code in (400, 422) and answer.json()["error"]["message"], answer.text


def test_models_answer_as_the_document_says(served: Served) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis.specs.openapi import checks as named

    checks = [named.response_schema_conformance, named.status_code_conformance, named.content_type_conformance]
    document = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    given, seen = own.header(served.settings), set[str]()
    for result in document.get_all_operations():
        operation = result.ok()
        if operation.path.startswith("/v1/") and "models" not in operation.path:
            continue  # decisions have a test of their own

        @given_case(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
        @hypothesis(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(case: Any) -> None:
            answer = case.call(headers=given)
            assert answer.status_code != 500, answer.text
            case.validate_response(answer, checks=checks)

        holds()
        seen.add(operation.path)
    assert {"/v1/models/probe:predict", "/v1/models/probe:explain", "/v2/models/probe/infer", "/health/ready"} <= seen


def test_figures_of_all_servers_are_for_a_key(served: Served) -> None:
    url = f"{served.url}/metrics"
    served.answers()
    served.decision()
    assert local.get(url).status_code == 401
    assert local.get(url, headers=served.key("predict", "decide")).status_code == 403
    figures = local.get(url, headers=served.key("metrics"), timeout=30)
    assert figures.status_code == 200
    assert 'request_predict_seconds_count{model_name="probe",server="probe"}' in figures.text
    assert 'adloop_request_seconds_count{path="/v1/decisions",server="decisions",status="200"}' in figures.text


def test_what_the_servers_write_is_for_their_owner_only(served: Served) -> None:
    """State, records of requests and decisions, keys: whatever umask `adloop serve` was started with."""
    home = served.settings.home
    served.answers()
    served.decision()
    until = time.monotonic() + 15
    while not (list(home.glob("requests/probe/*")) and list(home.glob("decisions/log/*"))):
        assert time.monotonic() < until
        time.sleep(0.1)
    written = [*home.glob("requests/**/*"), *home.glob("decisions/**/*"), *home.glob("keys/*")]
    assert {path.name for path in written if path.exists() and path.stat().st_mode & 0o077} == set()


def test_old_http_is_answered(served: Served) -> None:
    body = json.dumps({"instances": INSTANCES}).encode()
    given = own.header(served.settings)["authorization"]
    head = f"POST /v1/models/probe:predict HTTP/1.0\r\nauthorization: {given}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.settings.port), timeout=30) as sent:
        sent.sendall(head.encode() + body)
        found = b""
        while part := sent.recv(65536):
            found += part
    assert found.startswith(b"HTTP/1.0 200") and b"predictions" in found


def test_what_only_envoy_may_say_is_taken_out(served: Served) -> None:
    """Nothing is on its way, so no attempt may be logged, whatever a client claims; nor is Envoy told how to retry."""
    claims = {"x-adloop-course": "probe", "X-Adloop-Version": "9", "x-envoy-upstream-rq-timeout-ms": "1"}
    given = own.header(served.settings)
    one = {"opportunity_id": "h", "occurred_at": time.time(), "account_id": "a", "campaign_id": "c"}
    for path, body in (("v1/models/probe:predict", {"instances": INSTANCES}), ("v1/decisions", one)):
        assert local.post(f"{served.url}/{path}", json=body, headers={**given, **claims}, timeout=30).status_code == 200
    lying = {**given, "x-adloop-version": "9", "x-adloop-course": "probe", "x-model-name": "decisions"}
    assert len(over_grpc(served, lying)) == 2
    time.sleep(0.5)
    (attempts,) = served.settings.home.glob("rollout/envoy-*/attempts.jsonl")
    assert attempts.read_bytes() == b""


def test_whatever_dies_is_started_again_told_and_counted_until_it_stops(served: Served) -> None:
    """After all others, as it ends `adloop serve`."""
    first, failures = served.decision(), Counter(served.health()["failures"])
    kinds = [("envoy", "bootstrap.json"), ("probe", "--bundle"), ("probe", "forks model servers")]
    kinds += [(name, f"serving.{name}") for name in ("decisions", "texts")]
    for name, word in kinds:
        served.child(word).kill()
        wait(lambda name=name: served.health().get("failures", {}).get(name, 0) > failures[name])
        wait(lambda name=name: name not in served.health()["faults"])
        assert (served.predict(), served.decides()) == (200, 401), name
        assert f"{name} does not respond: its process died" in served.log.read_text()
        assert f"{name} responds again" in served.log.read_text()
        failures[name] += 1
    assert served.health()["failures"] == failures
    assert served.decision() == first

    before = served.children()
    home, port = served.settings.home, served.settings.port
    taken = f"Error: 127.0.0.1:{port}: Address already in use; set another with ADLOOP_HOST and ADLOOP_PORT"
    assert _refusal(home.parent / "other", port) == [taken]
    (same,) = _refusal(home, free_port())
    assert str(home) in same
    assert served.children() == before and served.predict() == 200
    stops_while_it_mends_and_is_busy(served, "--bundle")


def _refusal(home: Path, port: int) -> list[str]:
    """What `adloop serve` says where it does not start."""
    given = {"PATH": "/usr/bin", "ADLOOP_HOME": str(home), "ADLOOP_PORT": str(port)}
    command = [sys.executable, "-m", "pipelines.cli", "serve"]
    ended = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    return ended.stderr.strip().split("\n")
