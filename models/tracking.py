"""Logs each evaluated model as an MLflow run: metrics, parameters, plots and the bundle."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.settings import Settings
from models import bundle
from models.bundle import Manifest

if TYPE_CHECKING:
    from mlflow import MlflowClient


def record(
    client: "MlflowClient", settings: Settings, trained: Path, evaluation: Path, tags: Mapping[str, str]
) -> tuple[str, str]:
    """Log one MLflow run under `tags`, identified by bundle digest and verdict.

    An interrupted run is resumed. The run stays open with an unsigned bundle; registering the version signs it and
    closes the run. Returns the run's id and the digest of the bundle with its model card.
    """
    from mlflow.entities import Metric, Param

    manifest = Manifest.model_validate_json((trained / "manifest.json").read_bytes())
    judged = json.loads((evaluation / "evaluation.json").read_text())["metrics"]
    metrics = {name: value for name, value in judged.items() if value is not None}
    experiment = _experiment(client, manifest.family, settings)
    same = " and ".join(f"tags.{name} = '{tags[name]}'" for name in ("bundle_digest", "verdict"))
    runs = client.search_runs([experiment], f"{same} and attributes.status = 'RUNNING'")
    run = runs[0] if runs else client.create_run(experiment, tags=dict(tags))
    run_id: str = run.info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, 0, 0) for name, value in metrics.items()],
        params=[Param(name, value) for name, value in _flat(manifest.params).items()],
    )
    client.log_artifacts(run_id, str(evaluation), "evaluation")
    with tempfile.TemporaryDirectory(dir=settings.home) as folder:
        judged_bundle = Path(folder) / "bundle"
        shutil.copytree(trained, judged_bundle)
        shutil.copy(evaluation / "card.md", judged_bundle / "card.md")
        stated = manifest.model_copy(update={"metrics": metrics})
        (judged_bundle / "manifest.json").write_text(stated.model_dump_json(indent=1))
        digest = bundle.seal(judged_bundle)
        client.log_artifacts(run_id, str(judged_bundle), "bundle")
    _beside(stated, tags["bundle_digest"], settings.home)
    return run_id, digest


def _experiment(client: "MlflowClient", family: str, settings: Settings) -> str:
    known = client.get_experiment_by_name(family)
    if known is not None:
        return str(known.experiment_id)
    return str(client.create_experiment(family, artifact_location=f"{settings.artifacts_root}/{family}"))


def _flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters under dotted names."""
    flat: dict[str, str] = {}
    for name, value in params.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": str(value)}
    return flat


def _beside(manifest: Manifest, digest: str, home: Path) -> None:
    """Log the same figures to Weights & Biases, if enabled by `WANDB_API_KEY` or `WANDB_MODE`."""
    if not {"WANDB_API_KEY", "WANDB_MODE"} & os.environ.keys():
        return
    import wandb

    with wandb.init(
        project=os.environ.get("WANDB_PROJECT", "adloop"),
        id=f"{manifest.family}-{digest[:16]}",
        resume="allow",
        dir=home,
        config={"family": manifest.family, "data_hash": manifest.data_hash, **_flat(manifest.params)},
    ) as run:
        run.summary.update(manifest.metrics)
