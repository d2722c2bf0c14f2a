"""Kubeflow Trainer takes the job that trains on several GPUs: its own models know every key."""

from pathlib import Path
from typing import Any

import pytest
import yaml

MANIFEST = Path(__file__).parents[3] / "infra" / "kubeflow" / "trainer.yaml"
CLAIM, JOB = yaml.safe_load_all(MANIFEST.read_text())


def known(given: Any, read: Any, place: str = "") -> None:
    """Every key that was given was read, and means the same."""
    if isinstance(given, dict):
        for key, value in given.items():
            assert key in read, f"{place}.{key}"
            known(value, read[key], f"{place}.{key}")
    elif isinstance(given, list):
        assert len(given) == len(read), place
        for at, (one, other) in enumerate(zip(given, read, strict=True)):
            known(one, other, f"{place}[{at}]")
    else:
        assert read == given, place


def test_the_trainers_models_know_every_key() -> None:
    models = pytest.importorskip("kubeflow_trainer_api.models", reason="needs kubeflow-trainer-api")

    known(JOB, models.TrainerV1alpha1TrainJob.from_dict(JOB).to_dict())
    misspelt = {**JOB, "spec": {**JOB["spec"], "trainer": {"numProcsPerNode": 4}}}
    with pytest.raises(AssertionError, match="numProcsPerNode"):
        known(misspelt, models.TrainerV1alpha1TrainJob.from_dict(misspelt).to_dict())


def test_each_process_has_a_gpu_and_the_home_is_the_claim() -> None:
    trainer = JOB["spec"]["trainer"]
    (job,) = JOB["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = job["template"]["spec"]["template"]["spec"]

    assert all("ephemeral-storage" in bounds for bounds in trainer["resourcesPerNode"].values())
    assert trainer["resourcesPerNode"]["limits"]["nvidia.com/gpu"] == str(trainer["numProcPerNode"])
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]] == [CLAIM["metadata"]["name"]]
    (mount,), (home,) = pod["containers"][0]["volumeMounts"], pod["containers"][0]["env"]
    assert home == {"name": "ADLOOP_HOME", "value": mount["mountPath"]}
