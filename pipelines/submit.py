"""Compiles the pipelines for Kubeflow, starts and schedules them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from components.params import Params, load
from features.schema import Schema
from features.settings import Settings
from features.sources import AS_THEY_ARE, fingerprint
from models.catalog import NAMES

if TYPE_CHECKING:
    from kfp import Client

EXPERIMENT = "adloop"


def compile_all(out: Path, params_file: Path) -> list[Path]:
    """Write `train-<family>.yaml` and `monitor-<family>.yaml` into `out`, with defaults from `params_file`.

    The fingerprint of the source has no default: the caller must pass the current one, so that a changed source is not
    answered from the cache.
    """
    return [_compiled(out, params_file, verb, family) for family in NAMES for verb in ("train", "monitor")]


def _compiled(out: Path, params_file: Path, verb: Literal["train", "monitor"], family: str) -> Path:
    from kfp.compiler import Compiler

    from pipelines.monitoring import monitoring
    from pipelines.training import training

    out.mkdir(parents=True, exist_ok=True)
    params = load(params_file)
    defaults = {"source": list(params.source), **params.arguments(family)}
    pipeline, more = (training(family), {"as_of": ""}) if verb == "train" else (monitoring(family), {})
    path = out / f"{verb}-{family}.yaml"
    Compiler().compile(pipeline, str(path), pipeline_parameters=defaults | more)
    return path


def submit(
    host: str,
    family: str,
    params_file: Path,
    settings: Settings,
    data: str | None = None,
    schema: Schema = AS_THEY_ARE,
) -> str:
    """Start training of `family` on the Kubeflow Pipelines at `host`; returns the run's id.

    `data` (or the source in the parameters) must be readable from the cluster; `schema` describes its files. Raises
    `ConnectionError` if `host` does not respond.
    """
    params = load(params_file)
    source = [data] if data else list(params.source)
    given = {"source": source, "fingerprint": fingerprint(source, settings, schema), "schema": schema.plain()}
    with _connected(host) as (client, experiment), tempfile.TemporaryDirectory() as folder:
        package = str(_compiled(Path(folder), params_file, "train", family))
        return str(client.run_pipeline(experiment, f"train-{family}", package, params=given).run_id)


def schedule(
    host: str,
    family: str,
    params_file: Path,
    settings: Settings,
    data: str | None = None,
    schema: Schema = AS_THEY_ARE,
) -> str:
    """Schedule the monitoring of `family` as the parameters say; replaces an earlier schedule.

    Returns the recurring run's id. Raises `ConnectionError` if `host` does not respond.
    """
    params = load(params_file)
    with _connected(host) as (client, experiment), tempfile.TemporaryDirectory() as folder:
        package = str(_compiled(Path(folder), params_file, "monitor", family))
        before = _scheduled(client, experiment, family)
        made = client.create_recurring_run(
            experiment,
            f"monitor-{family}",
            params={"source": [data] if data else list(params.source), "schema": schema.plain()},
            **_when(params, package),
        )
        for recurring in before:
            client.delete_recurring_run(recurring)
        return str(made.recurring_run_id)


def _when(params: Params, package: str) -> dict[str, Any]:
    # No catch-up: the next run covers a missed one.
    return {"cron_expression": params.monitoring.schedule, "no_catchup": True, "pipeline_package_path": package}


def _scheduled(client: "Client", experiment: str, family: str) -> list[str]:
    """Ids of the recurring monitoring runs of `family`."""
    found = client.list_recurring_runs(experiment_id=experiment, page_size=100).recurring_runs or []
    return [str(each.recurring_run_id) for each in found if each.display_name == f"monitor-{family}"]


@contextmanager
def _connected(host: str) -> Iterator[tuple["Client", str]]:
    """A client of the Kubeflow Pipelines at `host`, and the id of the adloop experiment."""
    from kfp import Client
    from urllib3.exceptions import HTTPError

    try:
        client = Client(host=host)
        yield client, client.create_experiment(EXPERIMENT).experiment_id
    except HTTPError as error:
        raise ConnectionError(f"no Kubeflow Pipelines at {host}: {error}") from error
