"""The manifest of the decision engine asks for what is there, and for nothing it does not need."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kserve import V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1PredictorSpec
from kubernetes.client import V1Container

from features.settings import Settings
from serving.decisions.__main__ import parser
from serving.decisions.api.openapi import ROUTES

INFRA = Path(__file__).parents[3] / "infra"


@pytest.fixture
def service() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((INFRA / "kserve" / "decisions.yaml").read_text())
    return found


@pytest.fixture
def container(service: dict[str, Any]) -> dict[str, Any]:
    (only,) = service["spec"]["predictor"]["containers"]
    return only


def strange(kind: Any, said: dict[str, Any]) -> set[str]:
    """Fields that the client's class of a resource does not have."""
    return set(said) - set(kind.attribute_map.values())


def test_every_field_is_one_of_the_resource(service: dict[str, Any], container: dict[str, Any]) -> None:
    assert not strange(V1beta1InferenceService, service)
    assert not strange(V1beta1InferenceServiceSpec, service["spec"])
    assert not strange(V1beta1PredictorSpec, service["spec"]["predictor"])
    assert not strange(V1Container, container)


def test_the_command_the_probes_and_the_variables_are_the_endpoints(container: dict[str, Any]) -> None:
    assert container["command"] == ["python", "-m", "serving.decisions"]
    told = parser().parse_args(container["args"])
    (port,) = (one["containerPort"] for one in container["ports"])
    assert told.port == port
    routes = {(route.method, route.path) for route in ROUTES}
    for probe in ("readinessProbe", "livenessProbe"):
        assert ("GET", container[probe]["httpGet"]["path"]) in routes and container[probe]["httpGet"]["port"] == port
    shared = [one for one in yaml.safe_load_all((INFRA / "kubeflow" / "adloop.yaml").read_text()) if "data" in one]
    variables = {one["name"] for one in container["env"]} | {name for one in shared for name in one["data"]}
    assert variables <= {f"ADLOOP_{name.upper()}" for name in Settings.model_fields}


def test_replicas_share_their_state_and_a_claim_that_all_can_mount(service: dict[str, Any]) -> None:
    assert service["spec"]["predictor"]["minReplicas"] > 1
    found = list(yaml.safe_load_all((INFRA / "kubeflow" / "adloop.yaml").read_text()))
    (claim,) = (one for one in found if one["kind"] == "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    (named,) = (one["data"] for one in found if one["kind"] == "ConfigMap")
    assert "ADLOOP_REDIS_URL" in named


def test_it_runs_with_the_least_that_it_needs(service: dict[str, Any], container: dict[str, Any]) -> None:
    predictor = service["spec"]["predictor"]
    assert predictor["securityContext"]["runAsNonRoot"] and predictor["automountServiceAccountToken"] is False
    own = container["securityContext"]
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = [one["value"] for one in container["env"] if "value" in one]
    assert not any("PRIVATE" in value or ("://" in value and "@" in value) for value in written)
    volumes = {one["name"] for one in predictor["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == volumes
