"""The compiled pipelines, read back by the Kubeflow client's own parser: where each step runs is in them."""

from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2

from components.params import load
from models.catalog import NAMES
from pipelines.compute import GPU, SPOT, STATE_CLAIM, STEPS
from pipelines.submit import compile_all

PARAMS = Path(__file__).parents[3] / "params.yaml"
SPOT_STEPS = {"featurize", "train", "gate"}
NEVER_CACHED = {"release", "monitor"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """By file name: what the client's parser made of it, as the specification and the platform's part."""
    out = tmp_path_factory.mktemp("compiled")
    loaded = {path.stem: components.load_component_from_file(str(path)) for path in compile_all(out, PARAMS)}
    return {name: (each.pipeline_spec, json_format.MessageToDict(each.platform_spec)) for name, each in loaded.items()}


def tasks(spec: pipeline_spec_pb2.PipelineSpec) -> dict[str, pipeline_spec_pb2.PipelineTaskSpec]:
    """Every task that runs a container, however deep it is nested."""
    found = {}
    for dag in [spec.root.dag, *(each.dag for each in spec.components.values())]:
        for name, task in dag.tasks.items():
            if spec.components[task.component_ref.name].executor_label:
                found[name] = task
    return found


def container(spec, step):
    executor = spec.deployment_spec["executors"][f"exec-{step}"]
    return json_format.MessageToDict(executor)["container"]


def on_nodes(platform, step):
    return platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{step}"]


def test_there_is_a_file_to_train_and_one_to_watch_each_family(compiled):
    assert set(compiled) == {f"{verb}-{family}" for verb in ("train", "monitor") for family in NAMES}


@pytest.mark.parametrize("family", NAMES)
def test_the_steps_are_all_there_in_order(compiled, family):
    spec, _ = compiled[f"train-{family}"]
    assert set(tasks(spec)) == set(STEPS)
    after = {name: set(task.dependent_tasks) for name, task in spec.root.dag.tasks.items()}
    assert after["validate"] == {"ingest"} and after["featurize"] == {"validate"} and after["train"] == {"featurize"}
    assert after["gate"] == {"featurize", "train"} and after["register"] == {"gate", "train"}
    accepted = spec.root.dag.tasks["condition-1"]
    assert accepted.trigger_policy.condition == "inputs.parameter_values['pipelinechannel--register-Output'] != ''"
    inside = spec.components["comp-condition-1"].dag.tasks
    assert set(inside) == {"release", "monitor"} and inside["monitor"].dependent_tasks == ["release"]


@pytest.mark.parametrize("family", NAMES)
def test_steps_that_can_start_over_run_on_spot_nodes_and_only_those(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    label, value = SPOT
    toleration = {"key": label, "operator": "Equal", "value": value, "effect": "NoSchedule"}
    for step in tasks(spec):
        node = on_nodes(platform, step)
        assert (node.get("nodeSelector", {}).get("labels") == {label: value}) == (step in SPOT_STEPS), step
        assert (toleration in node.get("tolerations", [])) == (step in SPOT_STEPS), step


def test_churn_trains_on_a_gpu_and_nothing_else_asks_for_one(compiled):
    for family in NAMES:
        spec, platform = compiled[f"train-{family}"]
        for step in tasks(spec):
            resources = container(spec, step)["resources"]
            wants = (family, step) == ("churn", "train")
            assert ("accelerator" in resources) == wants, (family, step)
            tolerated = [each for each in on_nodes(platform, step).get("tolerations", []) if each["key"] == GPU]
            assert bool(tolerated) == wants
            if wants:
                assert resources["accelerator"]["resourceType"] == GPU
                assert resources["accelerator"]["resourceCount"] == "1"


@pytest.mark.parametrize("family", NAMES)
def test_every_step_is_retried_with_backoff_and_keeps_its_state(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    for step, task in tasks(spec).items():
        retry = task.retry_policy
        assert retry.max_retry_count == STEPS[step].retries >= 3, step
        assert (retry.backoff_duration.seconds, retry.backoff_factor) == (30, 2.0)
        assert retry.backoff_max_duration.seconds == 600
        # Checkpoints must outlive the pod that wrote them, or a retry has nothing to resume from.
        mount = on_nodes(platform, step)["pvcMount"][0]
        assert (mount["constant"], mount["mountPath"]) == (STATE_CLAIM, _home_of_the_image())


@pytest.mark.parametrize("name", [f"{verb}-{family}" for verb in ("train", "monitor") for family in NAMES])
def test_what_acts_on_the_world_or_looks_at_it_is_never_cached(compiled, name):
    spec, _ = compiled[name]
    cached = {step: task.caching_options.enable_cache for step, task in tasks(spec).items()}
    # What drift starts must read the source anew: the tables it had are the ones the world moved away from.
    fresh = {"ingest"} if name.startswith("monitor") else set()
    assert {step for step, is_cached in cached.items() if not is_cached} - {"monitor-2"} == NEVER_CACHED | fresh


@pytest.mark.parametrize("family", NAMES)
def test_the_image_is_ours_and_nothing_is_installed_at_run_time(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    for step in tasks(spec):
        ran = container(spec, step)
        assert ran["image"].startswith("adloop/trainer:")
        assert "pip install" not in " ".join(ran["command"])
        secrets = on_nodes(platform, step)["secretAsEnv"]
        assert [each["envVar"] for each in secrets[0]["keyToEnv"]] == ["ADLOOP_SIGNING_KEY"]


@pytest.mark.parametrize("family", NAMES)
def test_the_parameters_are_the_defaults_but_the_fingerprint_has_none(compiled, family):
    spec, _ = compiled[f"train-{family}"]
    inputs = spec.root.input_definitions.parameters
    assert json_format.MessageToDict(inputs["params"].default_value) == load(PARAMS).section(family)
    assert json_format.MessageToDict(inputs["source"].default_value) == yaml.safe_load(PARAMS.read_text())["source"]
    assert not inputs["fingerprint"].HasField("default_value") and not inputs["fingerprint"].is_optional


@pytest.mark.parametrize("family", NAMES)
def test_the_monitor_trains_again_only_when_it_says_so(compiled, family):
    spec, _ = compiled[f"monitor-{family}"]
    condition = spec.root.dag.tasks["condition-1"]
    assert condition.trigger_policy.condition == "inputs.parameter_values['pipelinechannel--monitor-Output'] == true"
    assert set(tasks(spec)) >= set(STEPS)


def _home_of_the_image() -> str:
    dockerfile = (PARAMS.parent / "infra" / "images" / "Dockerfile").read_text()
    return next(line.split("ADLOOP_HOME=")[1].split()[0] for line in dockerfile.splitlines() if "ADLOOP_HOME=" in line)


def test_what_the_steps_expect_of_their_namespace_is_in_infra(compiled):
    manifests = yaml.safe_load_all((PARAMS.parent / "infra" / "kubeflow" / "adloop.yaml").read_text())
    by_kind = {each["kind"]: each for each in manifests}
    assert by_kind["PersistentVolumeClaim"]["metadata"]["name"] == STATE_CLAIM
    assert by_kind["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    _, platform = compiled["train-churn"]
    places = on_nodes(platform, "train")["configMapAsEnv"][0]
    assert by_kind["ConfigMap"]["metadata"]["name"] == places["configMapName"]
    assert set(by_kind["ConfigMap"]["data"]) <= {each["envVar"] for each in places["keyToEnv"]}
