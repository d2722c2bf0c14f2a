"""The same pipelines on Kubeflow: compiled to YAML, started, and scheduled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.params import Params, load
from features.settings import Settings
from models.catalog import NAMES

if TYPE_CHECKING:
    import kfp

EXPERIMENT = "adloop"


@dataclass(frozen=True)
class Submitted:
    """What Kubeflow was asked to do for one family: a training run now, and a look at it on a schedule."""

    family: str
    run_id: str
    recurring_run_id: str


def compile_all(out: Path, params_file: Path, families: Iterable[str] = NAMES) -> list[Path]:
    """Write `train-<family>.yaml` and `monitor-<family>.yaml` into `out`, what `params_file` says as their defaults.

    The fingerprint of the source has no default: it keeps a run from being answered with tables that were read before
    the source changed, so it is for whoever starts one to give.
    """
    from kfp.compiler import Compiler

    from pipelines.monitoring import monitoring
    from pipelines.training import training

    out.mkdir(parents=True, exist_ok=True)
    params, written = load(params_file), []
    for family in families:
        given = {"source": params.source, **params.arguments(family)}
        for verb, pipeline, defaults in (
            ("train", training(family), given | {"as_of": ""}),
            ("monitor", monitoring(family), given),
        ):
            path = out / f"{verb}-{family}.yaml"
            Compiler().compile(pipeline, str(path), pipeline_parameters=defaults)
            written.append(path)
    return written


def submit(
    host: str, families: Iterable[str], data: str | None, params_file: Path, settings: Settings
) -> list[Submitted]:
    """Start training of `families` on the Kubeflow Pipelines at `host`, and put their monitors on the schedule.

    `data` (or the source that the parameters name) must be one that the cluster can read too. Raises
    `ConnectionError` if nothing answers at `host`.
    """
    from features.sources import fingerprint

    params, names = load(params_file), list(families)
    source = data or params.source
    given = {"source": source, "fingerprint": fingerprint(source, settings)}
    client = _client(host)
    experiment = client.create_experiment(EXPERIMENT).experiment_id
    with tempfile.TemporaryDirectory() as folder:
        compile_all(Path(folder), params_file, names)
        return [_start(client, experiment, Path(folder), family, params, given) for family in names]


def _client(host: str) -> kfp.Client:
    import kfp
    from urllib3.exceptions import HTTPError

    try:
        return kfp.Client(host=host)
    except HTTPError as error:
        raise ConnectionError(f"no Kubeflow Pipelines at {host}: {error}") from error


def _start(
    client: kfp.Client, experiment: str, compiled: Path, family: str, params: Params, given: dict[str, str]
) -> Submitted:
    run = client.run_pipeline(experiment, f"train-{family}", str(compiled / f"train-{family}.yaml"), params=given)
    watch = client.create_recurring_run(
        experiment,
        f"monitor-{family}",
        cron_expression=params.monitoring.schedule,
        # a look that was missed is not caught up on: the next one sees what it would have seen
        no_catchup=True,
        pipeline_package_path=str(compiled / f"monitor-{family}.yaml"),
        params={"source": given["source"]},
    )
    return Submitted(family, run.run_id, watch.recurring_run_id)
