"""The InferenceService of a family: KServe and Kubernetes take it, and it asks for nothing that it does not need."""

from copy import deepcopy
from typing import Any

import pytest

from features.settings import Settings
from serving.released.split import Split
from serving.rollout.inference_service import InferenceServiceTemplate, Object
from tests.unit.infra.schemas import check_custom, check_restricted

CANARY = Split(champion="1", canary="2", weight=10)


def template(mode: Any) -> InferenceServiceTemplate:
    return InferenceServiceTemplate("ads", "registry/server@sha256:1", mode, lambda *about: f"s3://b/{'/'.join(about)}")


@pytest.fixture
def standard() -> Object:
    return template("Standard").standard("churn", CANARY)


@pytest.fixture
def knative() -> Object:
    return template("Knative").knative("churn", "2", 10)


def test_kserve_takes_both_modes_objects(standard: Object, knative: Object) -> None:
    check_custom(standard)
    check_custom(knative)


def test_the_schema_finds_what_kserve_would_refuse_or_lose(standard: Object) -> None:
    for change in (
        lambda spec: spec["predictor"].update(minReplica=1),
        lambda spec: spec["predictor"]["containers"][0]["readinessProbe"]["httpGet"].update(paht="/"),
        lambda spec: spec["predictor"].update(canaryTrafficPercent="10"),
        lambda spec: spec["canary"][0].update(trafficPercent=150),
        lambda spec: spec["canary"][0].pop("trafficPercent"),
    ):
        wrong = deepcopy(standard)
        change(wrong["spec"])
        with pytest.raises(AssertionError, match=r"\$\.spec"):
            check_custom(wrong)


def test_champion_and_canary_differ_in_their_version_and_replicas_only(standard: Object) -> None:
    champion, canary = standard["spec"]["predictor"], standard["spec"]["canary"][0]["predictor"]
    assert (champion["name"], canary["name"]) == ("v1", "v2")
    ours, theirs = champion["containers"][0], canary["containers"][0]
    assert ours["args"][4:6] == ["--version", "1"] and theirs["args"][4:6] == ["--version", "2"]
    assert theirs["env"][0] == {"name": "STORAGE_URI", "value": "s3://b/churn/2"}
    same = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "name", "containers"}
    assert {name: champion[name] for name in champion if name not in same} == {
        name: canary[name] for name in canary if name not in same
    }


def test_knative_gets_the_same_server_without_what_it_refuses(standard: Object, knative: Object) -> None:
    ours, theirs = (made["spec"]["predictor"]["containers"][0] for made in (standard, knative))
    assert {**theirs, "args": ours["args"], "env": ours["env"]} == {
        name: value for name, value in ours.items() if name != "lifecycle"
    }
    refused = {"securityContext", "topologySpreadConstraints", "terminationGracePeriodSeconds", "scaleMetric"}
    assert not refused & set(knative["spec"]["predictor"])


def test_it_runs_with_the_least_that_it_needs(standard: Object, knative: Object) -> None:
    for predictor in (standard["spec"]["predictor"], standard["spec"]["canary"][0]["predictor"]):
        check_restricted(predictor)
        assert predictor["automountServiceAccountToken"] is False and predictor["serviceAccountName"] == "adloop-serve"
    check_restricted(knative["spec"]["predictor"])
    (container,) = knative["spec"]["predictor"]["containers"]
    assert {"cpu", "memory", "ephemeral-storage"} == set(container["resources"]["limits"])
    volumes = {one["name"] for one in knative["spec"]["predictor"]["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == volumes


def test_its_variables_are_the_settings(standard: Object) -> None:
    (container,) = standard["spec"]["predictor"]["containers"]
    names = {one["name"] for one in container["env"]} - {"STORAGE_URI"}
    assert names <= {f"ADLOOP_{name.upper()}" for name in Settings.model_fields}
