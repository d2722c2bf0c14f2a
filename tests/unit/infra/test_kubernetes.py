"""Each overlay: Kubernetes takes its objects, they fit together, and they ask for nothing that they do not need."""

import ast
import json
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from kserve import metrics as kserve_metrics
from kubernetes.utils.quantity import parse_quantity
from prometheus_client import Histogram

from features.settings import Settings
from pipelines.compute import STEPS
from serving.conversations.shop import Shop, read_shop
from serving.decisions import metrics
from serving.decisions.__main__ import parser as decisions_parser
from serving.decisions.api.openapi import ROUTES
from serving.inference.requests import DROPPED
from serving.released.split import Split
from serving.rollout import kserve, xds
from serving.rollout.inference_service import InferenceServiceTemplate
from serving.texts.__main__ import parser as texts_parser
from serving.texts.app import make_app
from tests.unit.infra.schemas import check, check_bounded, check_restricted

KUBERNETES = Path(__file__).parents[3] / "infra" / "kubernetes"
OVERLAYS = ("local", "staging", "production")
#: Objects of Prometheus' operator, whose definitions are not at hand.
UNKNOWN = {"PodMonitor", "PrometheusRule"}
Object = dict[str, Any]


@cache
def overlay(name: str) -> list[Object]:
    """What an overlay makes."""
    kubectl = shutil.which("kubectl") or shutil.which("kubectl", path=Path(sys.executable).parent)
    if kubectl is None:
        pytest.skip("kubectl, which has kustomize, is not on this machine")
    command = [kubectl, "kustomize", str(KUBERNETES / "overlays" / name)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True).stdout))


@pytest.fixture(params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return overlay(request.param)


def of(objects: list[Object], kind: str, name: str | None = None) -> list[Object]:
    return [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]


def pods(objects: list[Object]) -> Iterator[tuple[dict[str, str], Object]]:
    """Labels and specification of each pod, those of a family that a release makes among them."""
    for one in of(objects, "Deployment"):
        yield one["spec"]["template"]["metadata"]["labels"], one["spec"]["template"]["spec"]
    template = InferenceServiceTemplate("adloop", "adloop/server", "Standard", lambda *_: "s3://b")
    for one in (*of(objects, "InferenceService"), template.standard("churn", Split(champion="1"))):
        yield one["spec"]["predictor"]["labels"], one["spec"]["predictor"]


def selected(selector: Object, labels: dict[str, str]) -> bool:
    return labels.items() >= selector.get("matchLabels", {}).items() and not selector.get("matchExpressions")


def test_kubernetes_takes_every_object(objects: list[Object]) -> None:
    assert len(objects) > 20
    for one in objects:
        if one["kind"] not in UNKNOWN:
            check(one)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "adloop"


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    (wrong,) = yaml.safe_load_all((KUBERNETES / "base" / "namespace.yaml").read_text())
    with pytest.raises(Exception, match="finalizer"):
        check({**wrong, "spec": {"finalizer": []}})


def test_every_pod_keeps_the_restricted_standard_that_the_namespace_enforces(objects: list[Object]) -> None:
    (namespace,) = of(objects, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for _, pod in pods(objects):
        check_restricted(pod)
        assert pod["automountServiceAccountToken"] is False


def test_a_pod_says_what_it_may_use_and_its_volumes_fit_into_that(objects: list[Object]) -> None:
    for _, pod in pods(objects):
        check_bounded(pod)


def test_every_container_is_asked_whether_it_answers(objects: list[Object]) -> None:
    for container in (container for _, pod in pods(objects) for container in pod["containers"]):
        assert {"readinessProbe", "livenessProbe"} <= container.keys(), container["name"]


def test_a_shell_in_the_cluster_is_bounded_too() -> None:
    program = KUBERNETES.parent / "deploy" / "shell.jq"
    command = ["jq", "--arg", "image", "i", "--arg", "name", "n", "--from-file", str(program), "--null-input"]
    if shutil.which("jq") is None:
        pytest.skip("needs jq")
    check_bounded(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["spec"])


def test_containers_that_say_nothing_get_room_for_the_largest_disk_of_a_step(objects: list[Object]) -> None:
    """Kubeflow has no field for the disk of a step's container, only for that of its volume."""
    ((limit,),) = (one["spec"]["limits"] for one in of(objects, "LimitRange"))
    room = parse_quantity(limit["default"]["ephemeral-storage"])
    assert limit["type"] == "Container"
    assert room > max(parse_quantity(compute.disk) for compute in STEPS.values())
    assert 0 < parse_quantity(limit["defaultRequest"]["ephemeral-storage"]) < room


def test_what_pods_name_is_there_or_said_to_be_needed(objects: list[Object]) -> None:
    accounts = {one["metadata"]["name"] for one in of(objects, "ServiceAccount")}
    settings = {one["metadata"]["name"] for one in of(objects, "ConfigMap")}
    said = (KUBERNETES / "base" / "accounts.yaml").read_text()
    for _, pod in pods(objects):
        assert pod.get("serviceAccountName", "default") in {*accounts, "default"}
        references = json.dumps(pod)
        assert set(re.findall(r'"configMap(?:Ref)?": {"name": "([^"]+)"', references)) <= settings
        secrets = set(re.findall(r'"(?:secretRef|secretKeyRef)": {[^}]*"name": "([^"]+)"', references))
        for secret in secrets | set(re.findall(r'"secretName": "([^"]+)"', references)):
            assert f"secret generic {secret} " in said, secret


def test_nothing_keeps_its_state_on_a_disk_that_pods_share(objects: list[Object]) -> None:
    assert not of(objects, "PersistentVolumeClaim")
    for _, pod in pods(objects):
        assert not any("persistentVolumeClaim" in volume for volume in pod.get("volumes", ()))


@pytest.mark.parametrize("name", ["staging", "production"])
def test_images_are_named_by_digest_and_releases_start_the_same_server(name: str) -> None:
    made = overlay(name)
    images = {
        json.dumps(image)
        for _, pod in pods(made)
        if pod["serviceAccountName"] != "adloop-serve"
        for image in (one["image"] for one in pod["containers"])
    }
    assert images and all(
        re.fullmatch(r'"[\w.-]+\.ecr\.[\w.-]+/adloop/\w+@sha256:[0-9a-f]{64}"', one) for one in images
    )
    (settings,) = of(made, "ConfigMap", "adloop")
    (decisions,) = of(made, "InferenceService", "decisions")
    (mlflow,) = of(made, "Deployment", "mlflow")
    server = decisions["spec"]["predictor"]["containers"][0]["image"]
    assert settings["data"]["ADLOOP_SERVER_IMAGE"] == server
    assert settings["data"]["ADLOOP_IMAGE"] == mlflow["spec"]["template"]["spec"]["containers"][0]["image"]


def test_the_settings_are_those_of_the_program_and_none_is_secret(objects: list[Object]) -> None:
    (settings,) = of(objects, "ConfigMap", "adloop")
    given = {name.removeprefix("ADLOOP_").lower(): value for name, value in settings["data"].items()}
    assert not {"signing_key", "api_key", "redis_url"} & set(given)
    assert Settings(**given).records_uri == given["records_uri"]


def test_an_account_may_do_what_its_task_asks_and_no_more(objects: list[Object]) -> None:
    bound = {subject["name"] for one in of(objects, "RoleBinding") for subject in one["subjects"]}
    assert bound == {"adloop-pipeline"}
    assert not of(objects, "ClusterRole") and not of(objects, "ClusterRoleBinding")
    ((rule,),) = (one["rules"] for one in of(objects, "Role", "adloop-release"))
    assert (rule["apiGroups"], rule["resources"]) == ([kserve.GROUP], [kserve.PLURAL])
    assert set(rule["verbs"]) == asked_verbs()
    for one in of(objects, "Role"):
        assert "*" not in json.dumps(one["rules"]) and "delete" not in json.dumps(one["rules"])


def asked_verbs() -> set[str]:
    """What `serving/rollout/kserve.py` asks of the Kubernetes API."""
    tree = ast.parse(Path(kserve.__file__).read_text())
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {one.removesuffix("_namespaced_custom_object") for one in calls if one.endswith("_namespaced_custom_object")}


def routes(server: str) -> set[tuple[str, str]]:
    """Method and path of the routes of a server."""
    if server == "decisions":
        return {(route.method, route.path) for route in ROUTES}
    with TemporaryDirectory() as home:
        app = make_app(Settings(home=Path(home)))
    return {(method, route.path) for route in app.routes for method in getattr(route, "methods", None) or ()}


@pytest.mark.parametrize(("server", "parser"), [("decisions", decisions_parser), ("texts", texts_parser)])
def test_a_servers_command_and_probes_are_those_of_the_program(
    objects: list[Object], server: str, parser: Callable[[], ArgumentParser]
) -> None:
    (service,) = of(objects, "InferenceService", server)
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["command"] == ["python", "-m", f"serving.{server}"]
    (port,) = (one["containerPort"] for one in container["ports"])
    assert parser().parse_args(container["args"]).port == port
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert ("GET", container[probe]["httpGet"]["path"]) in routes(server) and container[probe]["httpGet"][
            "port"
        ] == port


def test_the_assistant_reads_the_shop_that_is_mounted(objects: list[Object], tmp_path: Path) -> None:
    (service,) = of(objects, "InferenceService", "texts")
    predictor = service["spec"]["predictor"]
    (container,) = predictor["containers"]
    (place,) = (one["value"] for one in container["env"] if one["name"] == "ADLOOP_SHOP")
    mounts = {one["mountPath"]: one for one in container["volumeMounts"] if one["mountPath"].startswith(f"{place}/")}
    assert {f"{place}/facts.yaml", f"{place}/products"} == mounts.keys()
    (facts,) = of(objects, "ConfigMap", "adloop-facts")
    (tmp_path / "facts.yaml").write_text(facts["data"][mounts[f"{place}/facts.yaml"]["subPath"]])
    assert read_shop(tmp_path) == Shop((), {})


def test_a_set_may_take_as_long_on_a_cluster_as_here(objects: list[Object]) -> None:
    (service,) = of(objects, "InferenceService", "texts")
    assert set(xds.TIMEOUTS.values()) == {f"{service['spec']['predictor']['timeout']}s"}


def test_policies_and_budgets_select_pods_that_exist(objects: list[Object]) -> None:
    labels = [found for found, _ in pods(objects)]
    policies = of(objects, "NetworkPolicy")
    (all_,) = [one for one in policies if one["metadata"]["name"] == "deny-all"]
    assert all_["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for one in (*of(objects, "PodDisruptionBudget"), *policies):
        selector = one["spec"].get("selector", one["spec"].get("podSelector"))
        if "matchLabels" in selector:
            assert any(selected(selector, each) for each in labels), one["metadata"]["name"]
    for found, pod in pods(objects):
        own = [one for one in policies if selected(one["spec"]["podSelector"], found)]
        ports = {rule["port"] for one in own for way in one["spec"].get("ingress", ()) for rule in way["ports"]}
        if pod.get("serviceAccountName"):  # of a local overlay's services, one policy selects several
            assert ports >= {one["containerPort"] for one in pod["containers"][0]["ports"]}


def test_nothing_may_leave_for_the_internet(objects: list[Object]) -> None:
    for one in of(objects, "NetworkPolicy"):
        for way in one["spec"].get("egress", ()):
            assert way["to"], one["metadata"]["name"]
            for to in way["to"]:
                assert "ipBlock" not in to or to["ipBlock"]["cidr"].startswith("10.")


@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_lost_zone_leaves_deciding_replicas(name: str) -> None:
    (service,) = of(overlay(name), "InferenceService", "decisions")
    predictor = service["spec"]["predictor"]
    (scaler,) = of(overlay(name), "HorizontalPodAutoscaler", "decisions")
    assert predictor["minReplicas"] == scaler["spec"]["minReplicas"] >= 3
    assert scaler["spec"]["scaleTargetRef"]["name"] == "decisions-predictor"
    zones = [
        one for one in predictor["topologySpreadConstraints"] if one["topologyKey"] == "topology.kubernetes.io/zone"
    ]
    assert zones and zones[0]["whenUnsatisfiable"] == "DoNotSchedule"
    assert selected(zones[0]["labelSelector"], predictor["labels"])


def exported() -> set[str]:
    """Names of all samples that both servers give to Prometheus."""
    names: set[str] = {"up"}
    own = [one for one in vars(kserve_metrics).values() if isinstance(one, Histogram)]
    for family in (family for one in (metrics.REGISTRY, DROPPED, *own) for family in one.collect()):
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
        names |= {f"{family.name}{suffix}" for suffix in kinds[family.type]}
    return names


#: What Kubeflow's API server exports (backend/src/apiserver/resource/resource_manager.go).
KUBEFLOWS = {"resource_manager_workflow_runs_failed"}


def expressions() -> Iterator[str]:
    """Every expression of alerts and of the dashboard."""
    rules = yaml.safe_load((KUBERNETES / "base" / "monitoring" / "alerts.yaml").read_text())
    for group in rules["spec"]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((KUBERNETES / "base" / "monitoring" / "adloop.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_alerts_and_the_dashboard_read_what_the_servers_export() -> None:
    for expression in expressions():
        plain = re.sub(r'"[^"]*"', '""', expression)
        used = set(re.findall(r"\b((?:adloop_|request_|resource_)\w+|up)\b", plain))
        assert used and used <= exported() | KUBEFLOWS, (expression, used - exported())


def test_prometheus_can_parse_each_expression() -> None:
    promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed")
    for expression in expressions():
        promql.parse(expression.replace("$__rate_interval", "5m"))


def test_replicas_are_scaled_by_a_metric_that_the_adapter_shows() -> None:
    adapter = yaml.safe_load((KUBERNETES / "base" / "monitoring" / "adapter-values.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    (scaler,) = [
        one
        for one in yaml.safe_load_all((KUBERNETES / "base" / "decisions.yaml").read_text())
        if one["kind"] == "HorizontalPodAutoscaler"
    ]
    assert scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] == rule["name"]["as"]
    assert rule["name"]["matches"] in exported()


def test_every_alert_says_what_to_do() -> None:
    rules = yaml.safe_load((KUBERNETES / "base" / "monitoring" / "alerts.yaml").read_text())
    for rule in (rule for group in rules["spec"]["groups"] for rule in group["rules"]):
        assert rule["annotations"]["summary"] and rule["annotations"]["action"]
        assert rule["labels"]["severity"] in ("page", "ticket")
