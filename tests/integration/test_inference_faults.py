"""Whatever a client sends or a store does: a clear refusal, and a server that lives. While a version is on its way:
who asks for which, and whose requests say something of it."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
from kserve import InferInput, InferRequest
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as service

from features import store
from features.examples import Window, latest
from features.settings import Settings
from features.tables import Tables
from models.bundle import BundleTampered
from models.churn.examples import churn_examples
from serving.access import own
from serving.inference import requests
from serving.inference.server import serve
from serving.released.split import Split
from serving.rollout.fleet import Fleet
from serving.rollout.plan import CannotServe
from serving.rollout.processes import ModelServer, free_port
from tests.integration import probe
from tests.integration.asked import PLAIN
from tests.integration.asked import request as two_rows
from tests.toyland import local

ROW: dict[str, Any] = {"recency": 0.3, "orders": 2, "member": True, "plan": "gold"}
JSON = "application/json"
LARGE = b'{"instances": [' + b" " * 10_000_000 + b"]}"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    for version in ("1", "2"):
        probe.write(settings.home / version, settings, probe.Probe(weight=float(version)), version)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fleet, "module", probe.SERVER)
        fleet = Fleet(settings, "127.0.0.1", 0, lambda _, version: settings.home / version)
        fleet.split("probe", Split(champion="1"))
        yield fleet
        fleet.close()


@pytest.fixture(scope="module", params=["direct", "envoy"])
def client(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[httpx.Client]:
    direct = f"http://127.0.0.1:{next(iter(fleet.versions()))}"
    with caller(fleet.envoy.url if request.param == "envoy" else direct, fleet.settings) as client:
        yield client


def caller(url: str, settings: Settings) -> httpx.Client:
    """Who asks with the key of the home."""
    return httpx.Client(base_url=url, headers={"content-type": JSON, **own.header(settings)}, timeout=30)


def started(settings: Settings, bundle: Path) -> tuple[ModelServer, httpx.Client]:
    """A model server alone, and who asks it."""
    server = ModelServer(probe.SERVER, "probe", "1", bundle, settings.home / "log", settings)
    server.wait_ready()
    return server, caller(f"http://127.0.0.1:{server.http_port}", settings)


def predict(client: httpx.Client, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/models/probe:predict", content=content)


def lives(client: httpx.Client) -> None:
    assert predict(client, {"instances": [ROW]}).status_code == 200


def v2(**changed: Any) -> dict[str, Any]:
    kinds = {"recency": "FP64", "orders": "INT64", "member": "BOOL", "plan": "BYTES"}
    values = {name: [value] for name, value in ROW.items()} | changed
    return {"inputs": [{"name": n, "shape": [1], "datatype": kinds[n], "data": v} for n, v in values.items()]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recency", "soon"),
        ("recency", True),
        ("recency", float("nan")),
        ("recency", float("inf")),
        ("orders", "two"),
        ("member", "yes"),
        ("plan", 7),
        ("plan", {"name": "gold"}),
    ],
)
def test_a_wrong_value_is_refused_by_name(client: httpx.Client, field: str, value: Any) -> None:
    bodies = {"v1/models/probe:predict": {"instances": [{**ROW, field: value}]}}
    bodies["v2/models/probe/infer"] = v2(**{field: [value]})
    for path, body in bodies.items():
        answer = client.post(f"/{path}", content=json.dumps(body))
        assert answer.status_code == 400, answer.text
        assert f"'{field}'" in answer.json()["error"]
    lives(client)


@pytest.mark.parametrize("field", list(ROW))
def test_a_missing_feature_is_refused_by_name(client: httpx.Client, field: str) -> None:
    answer = predict(client, {"instances": [{name: value for name, value in ROW.items() if name != field}]})
    assert answer.status_code == 400
    assert f"'{field}'" in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [b"", b"junk", b"[]", b"{}", b'{"instances": 1}', b'{"instances": []}', b'{"instances": [[1]]}', b"\xff\xfe"],
)
def test_a_body_that_is_no_request_is_refused(client: httpx.Client, body: bytes) -> None:
    assert predict(client, body).status_code == 400
    lives(client)


@pytest.mark.parametrize(
    "body",
    [
        b"junk",
        b"{}",
        b'{"inputs": 3}',
        b'{"inputs": [{"name": "recency", "shape": [1], "datatype": "FP64", "data": NaN}]}',
    ],
)
def test_a_body_that_is_no_v2_request_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v2/models/probe/infer", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    lives(client)


DEEP = b"[" * 100_000 + b"]" * 100_000
HALF = json.dumps("\ud800").encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": %s}' % DEEP,
        b'{"instances": [{"recency": %s, "orders": 2, "member": true, "plan": "gold"}]}' % (b"[" * 1015 + b"]" * 1015),
        b'{"a": ' * 100_000,
        b'{"instances": [{"recency": 1, "orders": 2, "member": true, "plan": %s}]}' % HALF,
        b'{"instances": [{"recency": 1, "orders": 2, "member": true, "plan": "gold", %s: 1}]}' % HALF,
        b'{"instances": [{"customer_id": %s}]}' % HALF,
        b'{"instances": [{"customer_id": %s}]}' % (b"9" * 400),
        b'{"instances": [{"recency": %s, "orders": 2, "member": true, "plan": "gold"}]}' % (b"1" * 5000),
        b'{"instances": [{"recency": 1e999, "orders": 2, "member": true, "plan": "gold"}]}',
        '{"instances": []}'.encode("utf-16"),
    ],
    ids=["deep", "deep value", "deep object", "half", "half name", "half id", "large id", "long", "infinite", "utf-16"],
)
def test_a_body_made_to_break_a_reader_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = predict(client, body)
    assert (answer.status_code, "error" in answer.json()) == (400, True), answer.text
    lives(client)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"datatype": "FOO"}, "'recency'"),
        ({"datatype": "BF16"}, "'recency'"),
        ({"datatype": "\ud800"}, "'recency'"),
        ({"datatype": "BYTES"}, "'recency'"),
        ({"datatype": "BOOL"}, "'recency'"),
        ({"shape": [-1]}, "'recency'"),
        ({"shape": []}, "'recency'"),
        ({"shape": [0], "data": []}, "'recency'"),
        ({"shape": [2]}, "'recency'"),
        ({"shape": [1, 1, 1]}, "'recency'"),
        ({"shape": [2**62, 4]}, "'recency'"),
        ({"shape": [10**400]}, "'recency'"),
        ({"shape": [float("nan")]}, "inputs.0.shape"),
        ({"shape": [1.5]}, "inputs.0.shape"),
        ({"shape": "1"}, "inputs.0.shape"),
        ({"name": "orders"}, "'orders'"),
        ({"name": 5}, "inputs.0.name"),
        ({"data": [[[[1.0]]]]}, "'recency'"),
        ({"data": [10**400]}, "'recency'"),
    ],
)
def test_a_tensor_that_cannot_be_is_refused_by_name(client: httpx.Client, changed: dict[str, Any], word: str) -> None:
    body = v2()
    body["inputs"][0] |= changed
    answer = client.post("/v2/models/probe/infer", content=json.dumps(body))
    assert (answer.status_code, word in answer.json()["error"]) == (400, True), answer.text
    lives(client)


@pytest.mark.parametrize("given", ["\ud800", "a\r\nset-cookie: x", "a\0b", "x" * 100_000])
def test_an_id_that_no_log_and_no_header_can_carry_is_refused(client: httpx.Client, given: str) -> None:
    answer = client.post("/v2/models/probe/infer", content=json.dumps({"id": given, **v2()}))
    assert (answer.status_code, answer.json()["error"].startswith("id: ")) == (400, True), answer.text
    lives(client)


def test_an_id_of_any_language_is_kept(client: httpx.Client) -> None:
    assert client.post("/v2/models/probe/infer", json={"id": "größe 日本", **v2()}).json()["id"] == "größe 日本"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {}, 405),
        ("GET", {}, 404),
        ("POST", {"content-encoding": "gzip"}, 415),
        ("POST", {"content-type": "application/json; charset=utf-8"}, 200),
        ("POST", {"content-type": "text/plain"}, 200),
        ("POST", {"x-request-id": "a" * 5000}, 400),
    ],
)
def test_what_stands_around_a_body(client: httpx.Client, method: str, headers: dict[str, str], status: int) -> None:
    body = json.dumps({"instances": [ROW]}).encode()
    answer = client.request(method, "/v1/models/probe:predict", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    lives(client)


@pytest.mark.parametrize(
    ("tensor", "behind", "word"),
    [
        ({"parameters": {"binary_data_size": 8}}, bytes(4), "'recency'"),
        ({"parameters": {"binary_data_size": 4}}, bytes(4), "'recency'"),
        ({"parameters": {"binary_data_size": 8}}, bytes(12), "4 unexpected bytes after"),
        ({"parameters": {"binary_data_size": -8}}, bytes(8), "'recency'"),
        ({"parameters": {"binary_data_size": 8.0}}, bytes(8), "'recency'"),
        ({"parameters": {"binary_data_size": 10**30}}, bytes(8), "'recency'"),
        ({"parameters": {"binary_data_size": 8}, "datatype": "FOO"}, bytes(8), "'recency'"),
        ({"parameters": {"binary_data_size": 8}, "shape": ["a"]}, bytes(8), "inputs.0.shape"),
        ({"parameters": [1]}, b"", "Open Inference Protocol"),
    ],
)
def test_a_binary_tensor_that_cannot_be_is_refused(
    client: httpx.Client, tensor: dict[str, Any], behind: bytes, word: str
) -> None:
    body = v2()
    del body["inputs"][0]["data"]
    body["inputs"][0] |= tensor
    said = json.dumps(body).encode()
    headers = {"inference-header-content-length": str(len(said))}
    answer = client.post("/v2/models/probe/infer", content=said + behind, headers=headers)
    assert (answer.status_code, word in answer.json()["error"]) == (400, True), answer.text
    lives(client)


@pytest.mark.parametrize("length", ["12", "junk", "99999999", "-3"])
def test_a_torn_binary_request_is_refused(client: httpx.Client, length: str) -> None:
    body, _ = InferRequest("probe", [_raw("recency", np.array([1.0]))]).to_rest()
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": length}
    answer = client.post("/v2/models/probe/infer", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    lives(client)


def test_ten_megabytes_are_refused_declared_or_not(client: httpx.Client) -> None:
    assert predict(client, LARGE).status_code == 413
    chunks = (LARGE[start : start + 500_000] for start in range(0, len(LARGE), 500_000))
    assert client.post("/v1/models/probe:predict", content=chunks).status_code == 413
    lives(client)


def test_a_model_that_is_not_there(client: httpx.Client) -> None:
    assert client.post("/v1/models/nobody:predict", json={"instances": [ROW]}).status_code == 404


def test_grpc_refuses_by_name_and_limits_size(fleet: Fleet) -> None:
    with grpc.insecure_channel(fleet.envoy.url.removeprefix("http://")) as channel:
        stub = service.GRPCInferenceServiceStub(channel)
        good = [_raw(name, np.array([value])) for name, value in ROW.items() if name != "plan"]
        good.append(_raw("plan", np.array([b"gold"], dtype=object)))
        names = list(own.header(fleet.settings).items())
        assert stub.ModelInfer(InferRequest("probe", good).to_grpc(), metadata=names, timeout=30).model_version == "1"
        bad = [*good[1:], _raw("recency", np.array([np.inf]))]
        for request, code, word in (
            (InferRequest("probe", bad), grpc.StatusCode.INVALID_ARGUMENT, "recency"),
            (InferRequest("probe", good[1:]), grpc.StatusCode.INVALID_ARGUMENT, "recency"),
            (InferRequest("nobody", good), grpc.StatusCode.UNIMPLEMENTED, ""),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                stub.ModelInfer(request.to_grpc(), metadata=names, timeout=30)
            assert refused.value.code() is code
            assert word in refused.value.details()
        unheard = InferRequest("probe", good).to_grpc()
        unheard.inputs[0].datatype = "FOO"
        with pytest.raises(grpc.RpcError, match=r"'recency'.*FOO"):
            stub.ModelInfer(unheard, metadata=names, timeout=30)
        with pytest.raises(grpc.RpcError):
            large = InferRequest("probe", [_raw("recency", np.zeros(1_300_000))])
            stub.ModelInfer(large.to_grpc(), metadata=names, timeout=30)
        assert stub.ModelInfer(InferRequest("probe", good).to_grpc(), metadata=names, timeout=30).model_version == "1"


def _raw(name: str, values: np.ndarray) -> InferInput:
    kinds = {"f": "FP64", "i": "INT64", "b": "BOOL", "O": "BYTES"}
    tensor = InferInput(name, list(values.shape), kinds[values.dtype.kind])
    tensor.set_data_from_numpy(values)
    return tensor


def test_refusals_are_logged_with_their_reason(fleet: Fleet) -> None:
    with caller(fleet.envoy.url, fleet.settings) as client:
        client.post("/v1/models/probe:predict", json={"instances": [{}]}, headers={"x-request-id": "refused-once"})
    logged = wait(lambda: requests.read(fleet.settings.home, "probe").query("request_id == 'refused-once'"))
    assert logged["status"].tolist() == [400]
    assert "recency" in logged["error"].iloc[0]


def wait(look: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    deadline = time.monotonic() + 15
    while (found := look()).empty:
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return found


def test_a_tampered_bundle_is_not_opened(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    bundle = probe.write(tmp_path / "bundle", settings, probe.Probe())
    (bundle / "model" / "probe.json").write_text('{"weight": 9.0}')
    server = ModelServer(probe.SERVER, "probe", "1", bundle, tmp_path / "log", settings)
    with pytest.raises(CannotServe, match=r"BundleTampered.*probe\.json"):
        server.wait_ready()
    server.stop()


@pytest.mark.parametrize(("name", "version"), [("probe", "2"), ("churn", "1")])
def test_a_bundle_is_served_only_as_what_it_was_signed_for(tmp_path: Path, name: str, version: str) -> None:
    settings = Settings(home=tmp_path)
    bundle = probe.write(tmp_path / "bundle", settings, probe.Probe())
    with pytest.raises(BundleTampered, match=rf"expected {name} {version}, got probe 1"):
        serve(bundle, name, version, "127.0.0.1", free_port(), free_port(), settings)


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelServer, httpx.Client]]:
    """A server that answers after a second, and anybody."""
    settings = Settings(home=tmp_path_factory.mktemp("unlocked"), inference_keys="off")
    bundle = probe.write(settings.home / "bundle", settings, probe.Probe(sleep_s=1.0))
    server, client = started(settings, bundle)
    yield server, client
    server.stop()


def test_without_keys_it_is_said_loudly(unlocked: tuple[ModelServer, httpx.Client]) -> None:
    server, client = unlocked
    del client.headers["authorization"]
    lives(client)
    assert client.post("/v2/repository/models/probe/unload").status_code == 404
    assert "ADLOOP_INFERENCE_KEYS=off" in server.log.read_text()


def test_sigterm_lets_go_of_nothing(unlocked: tuple[ModelServer, httpx.Client]) -> None:
    """Requests that are being answered are answered, and what was logged is written, however often a stop is told."""
    server, client = unlocked
    before = server.log.read_text().count(probe.SLEEPS)
    until, message = time.monotonic() + 15, two_rows().to_grpc()
    message.id = "grpc"
    with ThreadPoolExecutor(1) as pool, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        by_grpc = service.GRPCInferenceServiceStub(channel).ModelInfer.future(message, timeout=30)
        asked = {"content": json.dumps({"instances": [ROW]}), "headers": {"x-request-id": "rest"}}
        by_rest = pool.submit(client.post, "/v1/models/probe:predict", **asked)
        while server.log.read_text().count(probe.SLEEPS) < before + 2:
            assert time.monotonic() < until, "nothing came"
            time.sleep(0.01)
        server.terminate()
        assert by_rest.result().status_code == 200
        assert by_grpc.result().id == "grpc"
    for _ in range(10_000):
        if not server.alive:
            break
        server.terminate()
        time.sleep(0.001)
    assert not server.alive
    logged = requests.read(server.log.parent, "probe")["request_id"].value_counts()
    assert (logged["rest"], logged["grpc"]) == (1, 2)
    said = server.log.read_text()
    assert "Traceback" not in said
    assert "leaked" not in said  # DuckDB's words, of what was imported to stay


def test_the_online_store_goes_away_and_comes_back(tables: Path, redis_server: Any, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", redis_url=f"redis://127.0.0.1:{redis_server.port}/0")
    source = Tables(tables)
    params = SimpleNamespace(seed=1, window=Window(horizon_days=28, step_days=56, min_history_days=84))
    store.publish(store.build(source, "churn_v1", churn_examples(source, params), latest(source), settings), settings)
    bundle = probe.write(tmp_path / "bundle", settings, probe.Probe(reads="recency_days"))
    server, client = started(settings, bundle)
    asked = {"instances": [{"customer_id": "c00001"}, {"customer_id": "c00002"}]}
    before = predict(client, asked)
    assert before.status_code == 200, before.text

    unknown = predict(client, {"instances": [{"customer_id": "nobody"}]})
    assert unknown.status_code == 404
    assert "'nobody'" in unknown.json()["error"]

    partly = predict(client, {"instances": [{"customer_id": "c00001"}, {"customer_id": "nobody"}]})
    assert partly.status_code == 200
    assert partly.json()["predictions"][0] == before.json()["predictions"][0]
    assert "'nobody'" in partly.json()["predictions"][1]["error"]

    redis_server.stop()
    gone = predict(client, asked)
    assert gone.status_code == 503
    assert "online store" in gone.json()["error"]
    assert client.get("/v2/health/live").status_code == 200

    redis_server.start()
    assert predict(client, asked).json() == before.json()
    server.stop()


@pytest.fixture(scope="module")
def course(fleet: Fleet) -> Fleet:
    """Version 2 on its way with all of the requests that name no version; and so from then on."""
    fleet.split("probe", Split(champion="1", canary="2", weight=100))
    return fleet


@pytest.mark.parametrize(("asked", "answers"), [("", "2"), ("1", "1"), ("2", "2"), ("9", None)])
@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_only_requests_of_no_version_are_of_a_course(course: Fleet, protocol: str, asked: str, answers: str) -> None:
    """Who names a version gets that one, and says nothing for or against the canary; nor does who has no key."""
    given, since = own.header(course.settings), time.time()
    claims = {"x-adloop-course": "probe", "x-adloop-version": "1"}
    if protocol == "rest":
        path = f"v2/models/probe/{f'versions/{asked}/' if asked else ''}infer"
        answer = local.post(f"{course.envoy.url}/{path}", json=PLAIN, headers={**given, **claims}, timeout=30)
        assert answer.json().get("model_version") == answers, answer.text
        assert local.post(f"{course.envoy.url}/{path}", json=PLAIN, headers=claims, timeout=30).status_code == 401
    else:
        message = two_rows().to_grpc()
        message.model_version = asked
        with grpc.insecure_channel(course.envoy.url.removeprefix("http://")) as channel:
            stub = service.GRPCInferenceServiceStub(channel)
            found = _version(stub, message, {**given, **claims})
            assert found == answers
            assert _version(stub, message, claims) is None
    time.sleep(0.5)
    seen = course.attempts("probe", since)
    assert seen["version"].tolist() == ([] if asked else ["2"]) and seen["ok"].all()


def _version(stub: Any, message: Any, given: dict[str, str]) -> str | None:
    try:
        return str(stub.ModelInfer(message, metadata=list(given.items()), timeout=30).model_version)
    except grpc.RpcError as refused:
        assert refused.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED)
        return None


def test_a_stop_told_to_a_whole_group_leaves_servers_to_end_gracefully(fleet: Fleet) -> None:
    """They would be killed with the process that forked them."""
    children = psutil.Process().children()
    forks = next(one for one in children if "forks model servers" in " ".join(one.cmdline()))
    forks.terminate()
    with pytest.raises(psutil.TimeoutExpired):
        forks.wait(0.5)
    with caller(f"http://127.0.0.1:{next(iter(fleet.versions()))}", fleet.settings) as client:
        assert predict(client, {"instances": [ROW]}).status_code == 200


def test_a_kill_loses_at_most_the_last_second(fleet: Fleet) -> None:
    """After all others that ask this server."""
    port = next(iter(fleet.versions()))
    with caller(f"http://127.0.0.1:{port}", fleet.settings) as client:
        before = [predict(client, {"instances": [ROW]}) for _ in range(5)]
    time.sleep(2 * requests.EVERY)
    server = next(one for one in psutil.Process().children(recursive=True) if str(port) in " ".join(one.cmdline()))
    server.kill()
    server.wait()
    kept = set(requests.read(fleet.settings.home, "probe")["request_id"])
    assert {answer.headers["x-request-id"] for answer in before} <= kept
