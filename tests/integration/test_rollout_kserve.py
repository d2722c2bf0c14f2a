"""What a canary on KServe asks of the Kubernetes API, by KServe's own client, of a server that keeps what it is told.

The server applies merge patches and reports readiness; KServe's controller itself is not run here.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kserve import KServeClient

from serving.inference import requests
from serving.released.split import Split
from serving.rollout import kserve
from serving.rollout.kserve import InferenceServices
from serving.rollout.plan import CannotServe

COLLECTION = "/apis/serving.kserve.io/v1beta1/namespaces/ads/inferenceservices"


class Cluster(ThreadingHTTPServer):
    """InferenceServices by name, each patch in order, and versions that do not come up."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.kept: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, int]] = []
        self.broken: set[str] = set()

    def keep(self, name: str, service: dict[str, Any]) -> dict[str, Any]:
        predictor = service["spec"]["predictor"]
        version = service["metadata"]["annotations"]["adloop/version"]
        assert version == predictor["containers"][0]["args"][5]
        self.asked.append((version, predictor["canaryTrafficPercent"]))
        service["metadata"]["generation"] = len(self.asked)
        failed = {"status": "False", "reason": "RevisionFailed", "message": "BundleTampered: model.onnx"}
        ready = failed if version in self.broken and predictor["canaryTrafficPercent"] else {"status": "True"}
        conditions = [{"type": "Ready", **ready}]
        url = f"http://{name}.ads.example.org"
        service["status"] = {"conditions": conditions, "observedGeneration": len(self.asked), "url": url}
        self.kept[name] = service
        return service


class Api(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        name = self.path.removeprefix(COLLECTION).strip("/")
        self._send(self.server.kept[name] if name else {"items": list(self.server.kept.values())})

    def do_POST(self) -> None:
        assert self.path.split("?")[0] == COLLECTION
        service = self._body()
        self._send(self.server.keep(service["metadata"]["name"], service))

    def do_PATCH(self) -> None:
        name = self.path.removeprefix(COLLECTION).strip("/").split("?")[0]
        self._send(self.server.keep(name, merged(self.server.kept[name], self._body())))

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at what was kept."""

    def _body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _send(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def merged(old: Any, new: Any) -> Any:
    """RFC 7396."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    kept = {name: value for name, value in old.items() if name not in new}
    return {**kept, **{name: merged(old.get(name), value) for name, value in new.items() if value is not None}}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    server = Cluster()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def traffic(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InferenceServices:
    monkeypatch.setattr(kserve, "LOOK", 0.01)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
    }
    client = KServeClient(config_dict=config, persist_config=False)
    return InferenceServices(client, "ads", "adloop:1", lambda family, version: f"s3://b/{family}/{version}", tmp_path)


def test_a_course_to_all_traffic(cluster: Cluster, traffic: InferenceServices) -> None:
    traffic.split("churn", Split(champion="1"))
    for weight in (10, 50, 100):
        traffic.split("churn", Split(champion="1", canary="2", weight=weight))
    traffic.split("churn", Split(champion="2"))
    assert cluster.asked == [("1", 100), ("2", 10), ("2", 50), ("2", 100), ("2", 100)]
    (container,) = cluster.kept["churn"]["spec"]["predictor"]["containers"]
    assert container["image"] == "adloop:1"
    variables = {one["name"]: one["value"] for one in container["env"]}
    assert variables == {"STORAGE_URI": "s3://b/churn/2", "ADLOOP_API_KEYS": "/etc/adloop/api.json"}
    (keys,) = cluster.kept["churn"]["spec"]["predictor"]["volumes"]
    assert keys == {"name": "keys", "secret": {"secretName": "adloop-keys"}}
    assert container["volumeMounts"] == [{"name": "keys", "mountPath": "/etc/adloop", "readOnly": True}]
    assert container["args"][:6] == ["--bundle", "/mnt/models", "--name", "churn", "--version", "2"]
    assert traffic.url("churn") == "http://churn.ads.example.org"


def test_back_to_the_champion_at_once(cluster: Cluster, traffic: InferenceServices) -> None:
    traffic.split("churn", Split(champion="1"))
    traffic.split("churn", Split(champion="1", canary="2", weight=10))
    traffic.split("churn", Split(champion="1"))
    assert cluster.asked[2:] == [("2", 0), ("1", 100)]


def test_a_canary_that_does_not_come_up_is_said(cluster: Cluster, traffic: InferenceServices) -> None:
    cluster.broken.add("2")
    traffic.split("churn", Split(champion="1"))
    with pytest.raises(CannotServe, match="BundleTampered") as cannot:
        traffic.split("churn", Split(champion="1", canary="2", weight=10))
    assert cannot.value.version == "2"
    traffic.split("churn", Split(champion="1"))
    assert cluster.asked[-1] == ("1", 100)


def test_attempts_are_the_logs_requests(traffic: InferenceServices, tmp_path: Path) -> None:
    log = requests.RequestLog(tmp_path, "churn", "2")
    for number in range(3):
        status = 200 if number else 500
        log.append(requests.Request(str(number), 1000.0 + number, 5.0, status, None, ["a", "b"], None, None))
    log.close()
    seen = traffic.attempts("churn", 1000.0)
    assert seen["ok"].tolist() == [False, True, True]
    assert seen["at"].tolist() == [1000.0, 1001.0, 1002.0]
    assert traffic.attempts("churn", 1001.5)["at"].tolist() == [1002.0]
    assert traffic.attempts("ltv", 0.0).empty


@pytest.mark.parametrize(
    "foreign",
    [
        {"metadata": {"name": "theirs"}},
        {"metadata": {"name": "theirs", "annotations": None}, "spec": {}, "status": None},
        {"metadata": {"name": "theirs", "annotations": {"other/version": "7"}}},
        {"metadata": {"name": None}},
        {},
    ],
)
def test_services_of_others_are_left_alone(cluster: Cluster, traffic: InferenceServices, foreign: dict) -> None:
    cluster.kept["theirs"] = foreign
    traffic.split("churn", Split(champion="1"))
    traffic.split("churn", Split(champion="1", canary="2", weight=10))
    assert cluster.asked == [("1", 100), ("2", 10)]
    assert cluster.kept["theirs"] is foreign


@pytest.mark.parametrize("annotations", [None, {}, {"other": "x"}, {"adloop/version": ""}])
def test_a_service_of_a_familys_name_that_another_made_is_not_taken_over(
    cluster: Cluster, traffic: InferenceServices, annotations: dict | None
) -> None:
    theirs = {"metadata": {"name": "churn", **({"annotations": annotations} if annotations is not None else {})}}
    cluster.kept["churn"] = theirs
    with pytest.raises(ValueError, match="has no annotation adloop/version, so adloop did not make it"):
        traffic.split("churn", Split(champion="1"))
    assert cluster.asked == [] and cluster.kept["churn"] is theirs


def test_a_service_without_an_address_says_so(cluster: Cluster, traffic: InferenceServices) -> None:
    cluster.kept["churn"] = {"metadata": {"name": "churn"}}
    with pytest.raises(LookupError, match="has no address yet"):
        traffic.url("churn")
