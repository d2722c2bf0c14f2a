"""Compute resources of each step on a cluster: CPU, memory, GPUs, spot nodes, retries and caching."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kfp import kubernetes
from kfp.dsl import PipelineTask

from features.settings import Settings


@dataclass(frozen=True)
class Compute:
    """Resources of one step.

    Attributes:
        cpu, memory: limits, in Kubernetes' units.
        gpus: number of accelerators of type `GPU`.
        spot: may run on a preemptible node. For steps that resume or can safely restart.
        retries: restarts of a lost or failed pod; Kubeflow does not distinguish the two.
        cached: reuse the outputs of an earlier run with the same inputs. Not for steps with side effects or external
            inputs.
    """

    cpu: str = "2"
    memory: str = "4G"
    gpus: int = 0
    spot: bool = False
    retries: int = 3
    cached: bool = True


STEPS: Mapping[str, Compute] = {
    "ingest": Compute(memory="8G"),
    "validate": Compute(),
    "featurize": Compute(cpu="4", memory="8G", spot=True),
    "train": Compute(cpu="4", memory="8G", spot=True, retries=5),
    "gate": Compute(cpu="4", memory="8G", spot=True),
    "register": Compute(cpu="1", memory="2G"),
    "release": Compute(cpu="1", memory="2G", cached=False),
    "monitor": Compute(cpu="1", memory="4G", cached=False),
}

#: Steps of one family that need something else: churn trains a neural network.
EXCEPTIONS: Mapping[tuple[str, str], Compute] = {
    ("churn", "train"): replace(STEPS["train"], gpus=1),
}

GPU = "nvidia.com/gpu"
#: Spot nodes carry this label, and a taint of the same name that keeps everything else off them.
SPOT = ("adloop/capacity", "spot")
#: Waits of 30 s, 1, 2, 4 … minutes: a pool that lost a node needs about that long to get another.
BACKOFF = {"backoff_duration": "30s", "backoff_factor": 2.0, "backoff_max_duration": "600s"}

#: State that outlives a pod (checkpoints, rollout): a ReadWriteMany claim, mounted at the image's `ADLOOP_HOME`.
STATE_CLAIM, STATE_PATH = "adloop-state", "/home/adloop/state"
#: Places of services are keys of this ConfigMap, keys to sign with of this Secret, both named like the variables.
PLACES, SECRETS = "adloop", "adloop"
_SECRET = {"ADLOOP_SIGNING_KEY"}
_PLACES = {f"ADLOOP_{name.upper()}" for name in Settings.model_fields} - _SECRET - {"ADLOOP_HOME"}


def place(family: str, task: PipelineTask) -> PipelineTask:
    """Apply the resources to `task` of `family`. Has no effect on local runs."""
    verb = task.component_spec.name
    compute = EXCEPTIONS.get((family, verb), STEPS[verb])
    task.set_cpu_limit(compute.cpu).set_memory_limit(compute.memory)
    task.set_retry(compute.retries, **BACKOFF)
    task.set_caching_options(compute.cached)
    if compute.gpus:
        task.set_accelerator_type(GPU).set_accelerator_limit(compute.gpus)
        kubernetes.add_toleration(task, key=GPU, operator="Exists", effect="NoSchedule")
    if compute.spot:
        label, value = SPOT
        kubernetes.add_node_selector(task, label, value)
        kubernetes.add_toleration(task, key=label, operator="Equal", value=value, effect="NoSchedule")
    kubernetes.mount_pvc(task, pvc_name=STATE_CLAIM, mount_path=STATE_PATH)
    kubernetes.use_config_map_as_env(task, PLACES, {name: name for name in sorted(_PLACES)}, optional=True)
    kubernetes.use_secret_as_env(task, SECRETS, {name: name for name in sorted(_SECRET)}, optional=True)
    return task
