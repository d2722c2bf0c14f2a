"""Where the steps run on a cluster: resources, GPUs, spot nodes, retries and caching, and which secrets they get."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from kfp import kubernetes
from kfp.dsl import PipelineTask

from features.settings import Settings


@dataclass(frozen=True)
class Secret:
    """A Kubernetes Secret, whose keys become variables of the same names.

    Attributes:
        required: without it no pod starts; other secrets are for installations that need them.
    """

    name: str
    keys: tuple[str, ...]
    required: bool = False


#: Signs bundles. Only `register` holds it, which never runs on a spot node.
SIGNING = Secret("adloop-signing", ("ADLOOP_SIGNING_KEY",), required=True)
#: Verifies them; a step that opens registered bundles would make a key of its own without it.
VERIFY = Secret("adloop-verify", ("ADLOOP_VERIFY_KEY",), required=True)
#: Addresses that have a password in them.
SERVICES = Secret("adloop-services", ("ADLOOP_REDIS_URL",))
#: Asks the servers of a release for predictions.
API_KEY = Secret("adloop-api-key", ("ADLOOP_API_KEY",))
#: Where the service account has no role of its own for S3.
AWS = Secret("adloop-aws", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"))
MLFLOW = Secret("adloop-mlflow", ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"))
WANDB = Secret("adloop-wandb", ("WANDB_API_KEY", "WANDB_PROJECT"))


@dataclass(frozen=True)
class Compute:
    """Resources of one step.

    Attributes:
        cpu, memory: limits, in Kubernetes' units.
        disk: limit of the files that the step keeps while it runs; they go with its pod.
        gpus: number of accelerators of type `GPU`.
        spot: may run on a preemptible node. For steps that resume or can safely restart.
        retries: restarts of a lost pod. Kubeflow's own setting for Argo restarts lost pods only, so that a contract
            breach ends the run at once; `infra/kubeflow/retries.yaml` has it.
        hours: until a step that does not end is stopped.
        cached: whether the outputs of an earlier run with the same inputs are reused. `here`: only on this machine,
            where the cache knows the code and the places besides; for what changes the world or asks what it holds.
            `never`: for what looks at traffic.
        secrets: what the step may read.
    """

    cpu: str = "2"
    memory: str = "4G"
    disk: str = "20Gi"
    gpus: int = 0
    spot: bool = False
    retries: int = 3
    hours: int = 2
    cached: Literal["always", "here", "never"] = "always"
    secrets: tuple[Secret, ...] = ()


STEPS: Mapping[str, Compute] = {
    "ingest": Compute(memory="8G", disk="100Gi", secrets=(AWS,)),
    "validate": Compute(memory="8G", disk="100Gi"),
    "featurize": Compute(cpu="4", memory="8G", disk="100Gi", spot=True, cached="here", secrets=(AWS, SERVICES)),
    "train": Compute(cpu="4", memory="8G", spot=True, retries=5, hours=24, secrets=(AWS, MLFLOW, VERIFY)),
    "gate": Compute(cpu="4", memory="8G", spot=True, cached="here", secrets=(AWS, MLFLOW, VERIFY)),
    "register": Compute(cpu="1", memory="2G", cached="here", secrets=(AWS, MLFLOW, WANDB, SIGNING)),
    "release": Compute(cpu="1", memory="2G", hours=24, cached="never", secrets=(AWS, MLFLOW, VERIFY, API_KEY)),
    "monitor": Compute(cpu="1", memory="4G", cached="never", secrets=(AWS, MLFLOW, VERIFY)),
    "score": Compute(
        cpu="1", memory="4G", spot=True, retries=5, hours=24, cached="never", secrets=(AWS, MLFLOW, VERIFY, SERVICES)
    ),
}

#: Steps of one family that need something else: a deep Q-network's bids, and the layers of encoders of texts and
#: of pictures, are learnt on a GPU.
EXCEPTIONS: Mapping[tuple[str, str], Compute] = {
    ("bidding", "train"): replace(STEPS["train"], gpus=1),
    ("nlp", "train"): replace(STEPS["train"], gpus=1),
    ("vision", "train"): replace(STEPS["train"], gpus=1),
}

GPU = "nvidia.com/gpu"
#: Spot nodes carry this label, and a taint of the same name that keeps everything else off them.
SPOT = ("adloop/capacity", "spot")
#: Waits of 30 s, 1, 2, 4 … minutes: a pool that lost a node needs about that long to get another.
BACKOFF = {"backoff_duration": "30s", "backoff_factor": 2.0, "backoff_max_duration": "600s"}

#: The image's user and its folder, under which `ADLOOP_HOME` is.
USER, FOLDER = 10001, "/home/adloop"
#: Places of services are keys of this ConfigMap, named like the variables.
PLACES = "adloop"
#: Settings of a machine, and those that are secret.
_ELSEWHERE = {"home", "host", "port", "signing_key", "verify_key", "api_key", "drafter_key"}
_PLACES = {f"ADLOOP_{name.upper()}" for name in Settings.model_fields.keys() - _ELSEWHERE}


def place(family: str, task: PipelineTask) -> PipelineTask:
    """Apply the resources to `task` of `family`. Has no effect on local runs."""
    verb = task.component_spec.name
    compute = EXCEPTIONS.get((family, verb), STEPS[verb])
    task.set_cpu_limit(compute.cpu).set_memory_limit(compute.memory)
    task.set_retry(compute.retries, **BACKOFF)
    task.set_caching_options(compute.cached == "always")
    if compute.gpus:
        task.set_accelerator_type(GPU).set_accelerator_limit(compute.gpus)
        kubernetes.add_toleration(task, key=GPU, operator="Exists", effect="NoSchedule")
    if compute.spot:
        label, value = SPOT
        kubernetes.add_node_selector(task, label, value)
        kubernetes.add_toleration(task, key=label, operator="Equal", value=value, effect="NoSchedule")
    kubernetes.set_timeout(task, compute.hours * 3600)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.empty_dir_mount(task, "state", FOLDER, size_limit=compute.disk)
    kubernetes.use_config_map_as_env(task, PLACES, {name: name for name in sorted(_PLACES)}, optional=True)
    for secret in compute.secrets:
        kubernetes.use_secret_as_env(task, secret.name, {key: key for key in secret.keys}, optional=not secret.required)
    return task
