"""What a canary on KServe asks of the Kubernetes API, by Kubernetes' own client, of a server that keeps what it
is told.

The server applies merge patches and reports readiness in the cluster's deployment mode; KServe's controller itself is
not run here.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CustomObjectsApi
from kubernetes.config import new_client_from_config_dict

from features.settings import Settings
from serving.inference import requests
from serving.released.split import Split
from serving.rollout import kserve
from serving.rollout.inference_service import MODE, InferenceServiceTemplate
from serving.rollout.kserve import InferenceServices, on_cluster
from serving.rollout.plan import CannotServe
from tests.unit.infra.schemas import check_custom

COLLECTION = "/apis/serving.kserve.io/v1beta1/namespaces/ads/inferenceservices"
#: A version of the champion, of a canary, and the canary's percent.
Asked = tuple[str, str | None, int]


class Cluster(ThreadingHTTPServer):
    """InferenceServices by name, the traffic that each request asked for, and versions that do not come up."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.kept: dict[str, dict[str, Any]] = {}
        self.objects: list[dict[str, Any]] = []
        self.asked: list[Asked] = []
        self.broken: set[str] = set()
        self.reports: str | None = None
        self.refusal: tuple[int, str] | None = None

    def keep(self, name: str, service: dict[str, Any]) -> dict[str, Any]:
        self.objects.append({key: value for key, value in service.items() if key != "status"})
        asked = asked_of(service)
        self.asked.append(asked)
        mode = self.reports or service["metadata"]["annotations"][MODE]
        service["metadata"]["generation"] = len(self.asked)
        service["status"] = self._status(name, asked, mode) | {"observedGeneration": len(self.asked)}
        self.kept[name] = service
        return service

    def _status(self, name: str, asked: Asked, mode: str) -> dict[str, Any]:
        _, canary, weight = asked
        down = canary in self.broken and bool(weight)
        failure = {"lastFailureInfo": {"message": "BundleTampered: model.onnx"}} if down else {}
        ready = {"status": "True"}
        if down and mode == "Knative":
            ready = {"status": "False", "reason": "RevisionFailed", "message": "BundleTampered: model.onnx"}
        found = [{"name": f"v{canary}", "ready": not down, "modelStatus": failure}] if canary else []
        return {
            "conditions": [{"type": "Ready", **ready}],
            "deploymentMode": mode,
            "url": f"http://{name}.ads.example.org",
            "address": {"url": f"http://{name}.ads.svc.cluster.local"},
            "canaryStatuses": found,
        }


def asked_of(service: dict[str, Any]) -> Asked:
    """The traffic that an object asks for. In Knative mode the version before the latest is the champion."""
    predictor, version = service["spec"]["predictor"], service["metadata"]["annotations"]["adloop/version"]
    assert version_of(predictor) == version
    if service["metadata"]["annotations"][MODE] == "Standard":
        assert predictor["name"] == f"v{version}" and "canaryTrafficPercent" not in predictor
        canaries = service["spec"].get("canary", [])
        for one in canaries:
            assert one["predictor"]["name"] == f"v{version_of(one['predictor'])}"
            return version, version_of(one["predictor"]), one["trafficPercent"]
        return version, None, 100
    assert "canary" not in service["spec"]
    percent = predictor["canaryTrafficPercent"]
    return ("", version, percent) if percent < 100 else (version, None, 100)


def version_of(predictor: dict[str, Any]) -> str:
    (container,) = predictor["containers"]
    version = container["args"][5]
    (address,) = [one["value"] for one in container["env"] if one["name"] == "STORAGE_URI"]
    assert address == f"s3://b/churn/{version}"
    return str(version)


class Api(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        name = self.path.removeprefix(COLLECTION).strip("/")
        self._send(self.server.kept.get(name))

    def do_POST(self) -> None:
        assert self.path.split("?")[0] == COLLECTION
        service = self._body()
        self._send(self.server.keep(service["metadata"]["name"], service))

    def do_PATCH(self) -> None:
        assert self.headers["content-type"] == "application/merge-patch+json"  # custom resources take no other kind
        name = self.path.removeprefix(COLLECTION).strip("/").split("?")[0]
        self._send(self.server.keep(name, merged(self.server.kept[name], self._body())))

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at what was kept."""

    def _body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _send(self, value: dict[str, Any] | None) -> None:
        status, said = self.server.refusal or (404, "not found")
        refused = value is None or self.server.refusal is not None
        body = json.dumps({"kind": "Status", "message": said} if refused else value).encode()
        self.send_response(status if refused else 200)
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
def connected(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., InferenceServices]:
    monkeypatch.setattr(kserve, "LOOK", 0.01)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
    }
    client = CustomObjectsApi(new_client_from_config_dict(config, persist_config=False))

    def connect(mode: Any) -> InferenceServices:
        address = lambda family, version: f"s3://b/{family}/{version}"  # noqa: E731
        return InferenceServices(client, InferenceServiceTemplate("ads", "adloop:1", mode, address), tmp_path)

    return connect


@pytest.fixture(params=["Standard", "Knative"])
def traffic(request: pytest.FixtureRequest, connected: Callable[..., InferenceServices]) -> InferenceServices:
    return connected(request.param)


@pytest.fixture
def standard(connected: Callable[..., InferenceServices]) -> InferenceServices:
    return connected("Standard")


@pytest.fixture
def knative(connected: Callable[..., InferenceServices]) -> InferenceServices:
    return connected("Knative")


COURSE = (
    Split(champion="1"),
    *(Split(champion="1", canary="2", weight=weight) for weight in (10, 50, 100)),
    Split(champion="2"),
)


def test_a_course_to_all_traffic_in_standard_mode(cluster: Cluster, standard: InferenceServices) -> None:
    for split in COURSE:
        standard.split("churn", split)
    assert cluster.asked == [("1", None, 100), ("1", "2", 10), ("1", "2", 50), ("1", "2", 100), ("2", None, 100)]
    assert standard.url("churn") == "http://churn.ads.example.org"  # the Gateway, which splits


def test_a_course_to_all_traffic_in_knative_mode(cluster: Cluster, knative: InferenceServices) -> None:
    for split in COURSE:
        knative.split("churn", split)
    assert cluster.asked == [("1", None, 100), ("", "2", 10), ("", "2", 50), ("2", None, 100), ("2", None, 100)]
    assert knative.url("churn") == "http://churn.ads.svc.cluster.local"


def test_every_object_of_a_course_is_one_of_kserves(cluster: Cluster, traffic: InferenceServices) -> None:
    for split in (*COURSE, Split(champion="1")):
        traffic.split("churn", split)
    for made in cluster.objects:
        check_custom(made)


def test_back_to_the_champion_at_once(cluster: Cluster, traffic: InferenceServices) -> None:
    traffic.split("churn", Split(champion="1"))
    traffic.split("churn", Split(champion="1", canary="2", weight=10))
    traffic.split("churn", Split(champion="1"))
    # Knative takes a while to make a revision, so the canary loses its traffic first.
    first = [("", "2", 0)] if cluster.kept["churn"]["metadata"]["annotations"][MODE] == "Knative" else []
    assert cluster.asked[2:] == [*first, ("1", None, 100)]


def test_a_canary_of_a_service_that_is_gone_comes_after_its_champion(
    cluster: Cluster, traffic: InferenceServices
) -> None:
    traffic.split("churn", Split(champion="1", canary="2", weight=10))
    (first, second) = cluster.asked
    assert first == ("1", None, 100) and second[1:] == ("2", 10)


def test_a_canary_that_does_not_come_up_is_said(cluster: Cluster, traffic: InferenceServices) -> None:
    cluster.broken.add("2")
    traffic.split("churn", Split(champion="1"))
    with pytest.raises(CannotServe, match="BundleTampered") as cannot:
        traffic.split("churn", Split(champion="1", canary="2", weight=10))
    assert cannot.value.version == "2"
    traffic.split("churn", Split(champion="1"))
    assert cluster.asked[-1] == ("1", None, 100)


def test_a_service_in_the_other_mode_is_refused_before_it_is_changed(
    cluster: Cluster, standard: InferenceServices, knative: InferenceServices
) -> None:
    """Either mode ignores the canary of the other, which would get all traffic."""
    knative.split("churn", Split(champion="1"))
    with pytest.raises(ValueError, match=r"mode Knative.*ADLOOP_KSERVE_MODE=Knative"):
        standard.split("churn", Split(champion="1", canary="2", weight=10))
    assert len(cluster.asked) == 1


@pytest.mark.parametrize(("before", "now"), [("RawDeployment", "Standard"), ("Serverless", "Knative")])
def test_the_modes_names_of_earlier_releases_are_known(
    cluster: Cluster, connected: Callable[..., InferenceServices], before: str, now: str
) -> None:
    cluster.reports = before
    connected(now).split("churn", Split(champion="1"))
    connected(now).split("churn", Split(champion="1", canary="2", weight=10))
    assert len(cluster.asked) == 2


def test_a_cluster_that_runs_it_in_the_other_mode_is_refused(cluster: Cluster, knative: InferenceServices) -> None:
    cluster.reports = "Standard"
    with pytest.raises(ValueError, match="in KServe's mode Standard"):
        knative.split("churn", Split(champion="1"))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, 'inferenceservices.serving.kserve.io is forbidden: User "x" cannot get resource'),
        (422, "admission webhook denied the request: canaryTrafficPercent"),
        (404, "the server could not find the requested resource"),  # KServe is not installed
    ],
)
def test_a_refusal_of_the_api_is_told_in_its_words(
    cluster: Cluster, traffic: InferenceServices, status: int, said: str
) -> None:
    cluster.refusal = status, said
    with pytest.raises(ConnectionError, match=rf"\({status}\): .*{said[:20]}.*infra/kubernetes/base/accounts.yaml"):
        traffic.split("churn", Split(champion="1"))


def test_an_api_that_is_away_is_told(cluster: Cluster, traffic: InferenceServices) -> None:
    traffic._client.api_client.configuration.retries = False
    cluster.shutdown()
    cluster.server_close()
    with pytest.raises(ConnectionError, match="the Kubernetes API does not answer"):
        traffic.split("churn", Split(champion="1"))


def test_a_machine_that_knows_no_cluster_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    settings = Settings(home=tmp_path, records_uri="s3://b/records", kserve_namespace="ads")
    with pytest.raises(ConnectionError, match="no pod of a cluster"):
        on_cluster(settings, "ads", lambda *_: "s3://b")
    with pytest.raises(ValueError, match="ADLOOP_RECORDS_URI"):
        on_cluster(settings.model_copy(update={"records_uri": None}), "ads", lambda *_: "s3://b")


def test_a_bundle_that_the_cluster_cannot_fetch_is_refused() -> None:
    template = InferenceServiceTemplate("ads", "adloop:1", "Standard", lambda *_: "file:///home/me/mlartifacts/1")
    with pytest.raises(ValueError, match=r"churn 2 is at file:///home.*ADLOOP_ARTIFACTS_URI"):
        template.standard("churn", Split(champion="2"))


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


def test_services_of_others_are_left_alone(cluster: Cluster, traffic: InferenceServices) -> None:
    theirs = {"metadata": {"name": "theirs", "annotations": {"other/version": "7"}}}
    cluster.kept["theirs"] = theirs
    traffic.split("churn", Split(champion="1"))
    traffic.split("churn", Split(champion="1", canary="2", weight=10))
    assert len(cluster.asked) == 2 and cluster.kept["theirs"] is theirs


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
