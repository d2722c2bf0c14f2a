"""The compiled pipelines, read back by the Kubeflow client's own parser: where each step runs is in them."""

import hashlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp import components, dsl
from kfp.pipeline_spec import pipeline_spec_pb2

from components.image import IMAGE
from components.params import load
from features.settings import Settings
from models.catalog import NAMES
from pipelines.compute import AWS, EXCEPTIONS, FOLDER, GPU, MLFLOW, SPOT, STEPS, USER, WANDB
from pipelines.submit import compile_all
from tests.unit.infra.schemas import check_custom

#: Of training; scores are a pipeline of their own.
TRAINING = STEPS.keys() - {"score"}
PARAMS = Path(__file__).parents[3] / "params.yaml"
SPOT_STEPS = {"featurize", "train", "gate"}
#: They publish features, ask what the champion is, change the registry, move traffic, and look at it.
NEVER_CACHED = {"featurize", "gate", "register", "release", "monitor"}
ROOT = PARAMS.parent
PINNED = {"ADLOOP_IMAGE": f"registry.example/adloop/trainer@sha256:{'0' * 64}"}
#: As `yaml.safe_load_all`, by libyaml: ten times as fast.
load_all = partial(yaml.load_all, Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What this process compiled, by file name."""
    out = tmp_path_factory.mktemp("compiled")
    return {path.stem: path for path in compile_all(out, PARAMS)}


@pytest.fixture(scope="module")
def compiled(files):
    """By file name: what the client's parser made of it, as the specification and the platform's part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yaml.safe_load_all", load_all)
        loaded = {name: components.load_component_from_file(str(path)) for name, path in files.items()}
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


def test_there_is_a_file_to_train_to_watch_and_to_score_with_each_family(compiled):
    assert set(compiled) == {f"{verb}-{family}" for verb in ("train", "monitor", "score") for family in NAMES}


@pytest.mark.parametrize("family", NAMES)
def test_the_steps_are_all_there_in_order(compiled, family):
    spec, _ = compiled[f"train-{family}"]
    assert set(tasks(spec)) == TRAINING
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


def test_the_steps_whose_code_uses_cuda_ask_for_a_gpu_and_nothing_else_does(compiled):
    folders = {family: (ROOT / "models" / family).rglob("*.py") for family in NAMES}
    asks = ("cuda", "from models.tuning import")
    uses = {name for name, files in folders.items() if any(ask in one.read_text() for one in files for ask in asks)}
    assert uses == {family for (family, _), compute in EXCEPTIONS.items() if compute.gpus} != set()
    tuning = ROOT / "models" / "tuning.py"  # asks for the families that import it
    shared = [*({*(ROOT / "models").glob("*.py")} - {tuning}), *(ROOT / "components").rglob("*.py")]
    assert not any("cuda" in file.read_text() for file in shared)
    for family in NAMES:
        spec, platform = compiled[f"train-{family}"]
        for step in tasks(spec):
            resources = container(spec, step)["resources"]
            wants = family in uses and step == "train"
            assert ("accelerator" in resources) == wants, (family, step)
            tolerated = [each for each in on_nodes(platform, step).get("tolerations", []) if each["key"] == GPU]
            assert bool(tolerated) == wants
            if wants:
                assert resources["accelerator"]["resourceType"] == GPU
                assert resources["accelerator"]["resourceCount"] == "1"


@pytest.mark.parametrize("family", NAMES)
def test_every_step_is_retried_with_backoff_and_ends_some_time(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    for step, task in tasks(spec).items():
        retry = task.retry_policy
        assert retry.max_retry_count == STEPS[step].retries >= 3, step
        assert (retry.backoff_duration.seconds, retry.backoff_factor) == (30, 2.0)
        assert retry.backoff_max_duration.seconds == 600
        assert int(on_nodes(platform, step)["activeDeadlineSeconds"]) >= 3600


@pytest.mark.parametrize("family", NAMES)
def test_a_step_runs_as_the_images_user_in_a_folder_of_its_own(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    dockerfile = (ROOT / "infra" / "images" / "Dockerfile").read_text()
    assert f"useradd --uid {USER}" in dockerfile and f"ADLOOP_HOME={FOLDER}/" in dockerfile
    for step in tasks(spec):
        node = on_nodes(platform, step)
        assert "pvcMount" not in node
        (mount,) = node["emptyDirMounts"]
        assert mount["mountPath"] == FOLDER and mount["sizeLimit"] == STEPS[step].disk
        assert node["securityContext"] == {"runAsUser": str(USER), "runAsGroup": str(USER), "runAsNonRoot": True}


@pytest.mark.parametrize("name", [f"{verb}-{family}" for verb in ("train", "monitor") for family in NAMES])
def test_what_acts_on_the_world_or_looks_at_it_is_never_cached(compiled, name):
    spec, _ = compiled[name]
    cached = {step: task.caching_options.enable_cache for step, task in tasks(spec).items()}
    # What drift starts must read the source anew: the tables it had are the ones the world moved away from.
    fresh = {"ingest"} if name.startswith("monitor") else set()
    assert {step for step, is_cached in cached.items() if not is_cached} - {"monitor-2"} == NEVER_CACHED | fresh


@pytest.mark.parametrize("family", NAMES)
def test_the_image_is_ours_and_nothing_is_installed_at_run_time(compiled, family):
    spec, _ = compiled[f"train-{family}"]
    for step in tasks(spec):
        ran = container(spec, step)
        assert ran["image"].startswith("adloop/trainer:")
        assert "pip install" not in " ".join(ran["command"])


@pytest.mark.parametrize("family", NAMES)
def test_a_step_gets_the_secrets_that_it_needs_and_no_others(compiled, family):
    spec, platform = compiled[f"train-{family}"]
    holders = {}
    for step in tasks(spec):
        for secret in on_nodes(platform, step).get("secretAsEnv", []):
            for each in secret["keyToEnv"]:
                assert each["secretKey"] == each["envVar"]
                holders.setdefault(each["envVar"], {})[step] = bool(secret.get("optional"))
    registry = {"train", "gate", "register", "release", "monitor"}
    assert holders.pop("ADLOOP_SIGNING_KEY") == {"register": False}
    assert holders.pop("ADLOOP_VERIFY_KEY") == dict.fromkeys(registry - {"register"}, False)
    assert {name: set(steps) for name, steps in holders.items()} == {
        "ADLOOP_API_KEY": {"release"},
        "ADLOOP_REDIS_URL": {"featurize"},
        **dict.fromkeys(AWS.keys, TRAINING - {"validate"}),
        **dict.fromkeys(MLFLOW.keys, registry),
        **{key: {"register"} for key in WANDB.keys},
    }
    assert all(all(optional.values()) for optional in holders.values())
    settings = {f"ADLOOP_{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    for step in tasks(spec):
        plain = {each["envVar"] for each in on_nodes(platform, step)["configMapAsEnv"][0]["keyToEnv"]}
        assert settings and not plain & settings
        assert {"ADLOOP_ARTIFACTS_URI", "ADLOOP_CHECKPOINTS_URI", "ADLOOP_OFFLINE_URI"} <= plain


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """The same pipelines as objects, by file name; made by a process that orders sets and dictionaries differently."""
    folder = tmp_path_factory.mktemp("objects")
    command = [sys.executable, "-m", "pipelines.cli", "compile", "--out", str(folder), "--namespace", "adloop"]
    subprocess.run(command, env=os.environ | PINNED | {"PYTHONHASHSEED": "1"}, check=True)
    return {path.stem: list(load_all(path.read_text())) for path in folder.iterdir()}


def test_the_same_pipelines_are_the_same_files(files, objects):
    """To the byte: an object is named by what the file of its pipeline holds, and here they are of two processes."""
    assert files.keys() == objects.keys() and len(files) == 3 * len(NAMES)
    for name, (pipeline, version) in objects.items():
        written = files[name].read_text().replace(IMAGE, PINNED["ADLOOP_IMAGE"])
        spec, *platform = load_all(written)
        assert version["spec"]["pipelineSpec"] == spec and [version["spec"]["platformSpec"]] == platform
        assert version["metadata"]["name"] == f"{name}-{hashlib.sha256(written.encode()).hexdigest()[:12]}"
        assert (pipeline["kind"], version["kind"]) == ("Pipeline", "PipelineVersion")
        assert pipeline["metadata"] == {"name": name, "namespace": "adloop"}
        assert version["spec"]["pipelineName"] == name
        executors = spec["deploymentSpec"]["executors"]
        assert {each["container"]["image"] for each in executors.values()} == set(PINNED.values())


def test_the_objects_are_as_their_resources_are_defined(objects):
    for made in objects.values():
        for one in made:
            check_custom(one)


def test_objects_of_an_image_that_may_change_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ADLOOP_IMAGE is adloop/trainer:0\.1\.0, which may change"):
        compile_all(tmp_path, PARAMS, "adloop")


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
    assert set(tasks(spec)) >= TRAINING


@pytest.mark.parametrize("family", NAMES)
def test_pods_share_the_partitions_that_they_score(compiled, family):
    spec, platform = compiled[f"score-{family}"]
    (loop,) = spec.root.dag.tasks.values()
    shards = json.loads(loop.parameter_iterator.items.raw)
    (task,) = tasks(spec).values()
    assert shards == list(range(int(task.inputs.parameters["shards"].runtime_value.constant.number_value)))
    assert not task.caching_options.enable_cache and task.retry_policy.max_retry_count == STEPS["score"].retries
    held = {secret["secretName"] for secret in on_nodes(platform, "score")["secretAsEnv"]}
    assert held == {secret.name for secret in STEPS["score"].secrets} and "adloop-signing" not in held


def test_what_the_steps_expect_of_their_namespace_is_in_infra(compiled):
    base = ROOT / "infra" / "kubernetes" / "base"
    described = (base / "accounts.yaml").read_text()
    lines = (base / "settings.env").read_text().splitlines()
    places = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    (name, *_) = (
        one["name"] for one in yaml.safe_load((base / "kustomization.yaml").read_text())["configMapGenerator"]
    )
    for family in NAMES:
        spec, platform = compiled[f"train-{family}"]
        for step in tasks(spec):
            node = on_nodes(platform, step)
            (given,) = node["configMapAsEnv"]
            assert name == given["configMapName"]
            assert places <= {each["envVar"] for each in given["keyToEnv"]}
            for secret in node.get("secretAsEnv", []):
                assert f"secret generic {secret['secretName']} " in described
                assert all(each["secretKey"] in described for each in secret["keyToEnv"])


def test_lost_pods_are_retried_and_steps_that_failed_are_not():
    """Kubeflow's own setting says how often, Argo's policy what: Kubeflow's launcher ends with 1 whatever failed."""
    (controller,) = yaml.safe_load_all((ROOT / "infra" / "kubeflow" / "retries.yaml").read_text())
    assert controller["metadata"]["name"] == "workflow-controller-configmap"
    told = yaml.safe_load(controller["data"]["workflowDefaults"])["spec"]["templateDefaults"]["retryStrategy"]
    assert told["limit"] == "2" and "lastRetry.status == 'Error'" in told["expression"]


def test_what_can_only_be_said_of_a_container_is_named_where_it_is_said_of_another_task():
    with pytest.raises(ValueError, match=r"^set_cpu_limit can only be used on single-step components"):

        @dsl.pipeline
        def imports():
            dsl.importer(artifact_uri="s3://bucket/rows", artifact_class=dsl.Dataset).set_cpu_limit("1")
