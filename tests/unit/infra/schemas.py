"""Checks objects against the schemas of Kubernetes and of custom resources, where an unknown field is an error."""

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from kubernetes.utils.quantity import parse_quantity

#: Folder of custom resource definitions, `<plural>.<group>.json.gz`; they are not part of the project.
CRDS = Path(os.environ.get("ADLOOP_TEST_CRDS", Path(__file__).parents[4] / "shared" / "data" / "crds"))
NAMES = {
    "InferenceService": "inferenceservices.serving.kserve.io",
    "Pipeline": "pipelines.pipelines.kubeflow.org",
    "PipelineVersion": "pipelineversions.pipelines.kubeflow.org",
}


def check_custom(made: dict[str, Any]) -> None:
    """Raises `AssertionError` naming each field that the resource does not have, or not like this."""
    faults = [f"{fault.json_path}: {fault.message}" for fault in _closed(made["kind"]).iter_errors(made)]
    assert not faults, faults


def check(made: dict[str, Any]) -> None:
    """As `check_custom` for a custom resource whose definition is known, and by Kubernetes' own schema for its own."""
    if made["kind"] in NAMES:
        check_custom(made)
        return
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    validate.validate(made, validate.latest_version(), strict=True)


def check_restricted(pod: dict[str, Any]) -> None:
    """Raises `AssertionError` unless a pod keeps Kubernetes' restricted security standard, with a read-only root."""
    for container in pod["containers"]:
        own = container["securityContext"]
        both = pod.get("securityContext", {}) | own
        assert both["runAsNonRoot"] is True and both["runAsUser"] > 0, container["name"]
        assert both["seccompProfile"] == {"type": "RuntimeDefault"}, container["name"]
        assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True, container["name"]
        assert own["capabilities"] == {"drop": ["ALL"]}, container["name"]
    assert not any("hostPath" in volume for volume in pod.get("volumes", ()))
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)


def check_bounded(pod: dict[str, Any]) -> None:
    """Raises `AssertionError` unless each container says what it asks for and what it may use at most, and all volumes
    on the node's disk can be full before the pod is evicted."""
    containers = [*pod["containers"], *pod.get("initContainers", ())]
    for container in containers:
        least, most = container["resources"]["requests"], container["resources"]["limits"]
        for name in ("cpu", "memory", "ephemeral-storage"):
            assert 0 < parse_quantity(least[name]) <= parse_quantity(most[name]), (container["name"], name)
    scratch = [volume["emptyDir"]["sizeLimit"] for volume in pod.get("volumes", ()) if "emptyDir" in volume]
    room = sum(parse_quantity(container["resources"]["limits"]["ephemeral-storage"]) for container in containers)
    assert sum(parse_quantity(size) for size in scratch) <= room, scratch


@cache
def _closed(kind: str) -> Draft202012Validator:
    file = CRDS / f"{NAMES[kind]}.json.gz"
    if not file.is_file():
        pytest.skip(f"no definition of {kind} in {CRDS}: ADLOOP_TEST_CRDS names the folder of {file.name}")
    with gzip.open(file) as definition:
        (version,) = [one for one in json.load(definition)["spec"]["versions"] if one["storage"]]
    return Draft202012Validator(_close(version["schema"]["openAPIV3Schema"]))


def _close(schema: Any) -> Any:
    """The schema with no fields but the named ones."""
    if isinstance(schema, list):
        return [_close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _close(one) for name, one in schema.items() if name not in ("format", "properties")}
    if "properties" in schema:
        made["properties"] = {name: _close(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made
