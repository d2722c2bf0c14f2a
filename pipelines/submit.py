"""Compiles the pipelines for Kubeflow, starts and schedules them."""

import hashlib
import re
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from components.image import IMAGE
from components.params import Params, load
from features.schema import Schema
from features.settings import Settings
from features.sources import AS_THEY_ARE, fingerprint
from models.catalog import NAMES
from pipelines.kubeflow import Kubeflow

if TYPE_CHECKING:
    from kfp import Client
    from kfp.dsl.graph_component import GraphComponent

Verb = Literal["train", "monitor", "score"]
#: An image that stays what it is: by digest, or by the commit that it was built of as its tag.
PINNED = re.compile(r".+(@sha256:[0-9a-f]{64}|:[0-9a-f]{40})")


def compile_all(out: Path, params_file: Path, namespace: str | None = None) -> list[Path]:
    """Write `train-<family>.yaml`, `monitor-<family>.yaml` and `score-<family>.yaml` into `out`, with defaults from
    `params_file`.

    The same code and parameters give the same files. With a `namespace` they are objects for `kubectl apply`: a
    Pipeline and, named by its content, a PipelineVersion. Raises `ValueError` for those if the image may change.

    The fingerprint of the source has no default: the caller must pass the current one, so that a changed source is not
    answered from the cache.
    """
    params = load(params_file)
    return [_compiled(out, params, verb, family, namespace) for family in NAMES for verb in get_args(Verb)]


def _compiled(out: Path, params: Params, verb: Verb, family: str, namespace: str | None = None) -> Path:
    from pipelines.lean_kfp import Compiler, KubernetesManifestOptions

    out.mkdir(parents=True, exist_ok=True)
    pipeline, defaults = _pipeline(verb, family, params)
    path = out / f"{verb}-{family}.yaml"
    write = partial(Compiler().compile, pipeline, str(path), pipeline_parameters=defaults)
    write()
    # The comments repeat the parameters, in another order each time.
    written = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("#"))
    path.write_text(written)
    if namespace is not None:
        _check(IMAGE)
        version = f"{path.stem}-{hashlib.sha256(written.encode()).hexdigest()[:12]}"
        named = KubernetesManifestOptions(path.stem, None, version, None, namespace, include_pipeline_manifest=True)
        write(kubernetes_manifest_options=named, kubernetes_manifest_format=True)
    return path


def _pipeline(verb: Verb, family: str, params: Params) -> tuple["GraphComponent", dict[str, Any]]:
    """A pipeline, and the defaults of its parameters."""
    from pipelines.monitoring import monitoring
    from pipelines.scoring import scoring
    from pipelines.training import training

    if verb == "score":
        return scoring(family), {}
    defaults = {"source": list(params.source), **params.arguments(family)}
    return (training(family), defaults | {"as_of": ""}) if verb == "train" else (monitoring(family), defaults)


def submit(
    kubeflow: Kubeflow,
    family: str,
    params_file: Path,
    settings: Settings,
    data: str | None = None,
    schema: Schema = AS_THEY_ARE,
) -> str:
    """Start training of `family`; returns the run's id.

    `data` (or the source in the parameters) must be readable from the cluster; `schema` describes its files. Raises
    what `Kubeflow.connected` does, and `ValueError` for an image that may change.
    """
    _check(settings.image)
    params = load(params_file)
    source = [data] if data else list(params.source)
    given = {"source": source, "fingerprint": fingerprint(source, settings, schema), "schema": schema.plain()}
    with kubeflow.connected() as (client, experiment), tempfile.TemporaryDirectory() as folder:
        package = str(_compiled(Path(folder), params, "train", family))
        started = client.run_pipeline(
            experiment, f"train-{family}", package, params=given, service_account=kubeflow.service_account
        )
        return str(started.run_id)


def schedule(
    kubeflow: Kubeflow,
    family: str,
    params_file: Path,
    settings: Settings,
    data: str | None = None,
    schema: Schema = AS_THEY_ARE,
) -> str:
    """Schedule the monitoring of `family` as the parameters say; replaces an earlier schedule.

    Returns the recurring run's id. Raises as `submit` does.
    """
    _check(settings.image)
    params = load(params_file)
    with kubeflow.connected() as (client, experiment), tempfile.TemporaryDirectory() as folder:
        package = str(_compiled(Path(folder), params, "monitor", family))
        before = _scheduled(client, experiment, family)
        made = client.create_recurring_run(
            experiment,
            f"monitor-{family}",
            params={"source": [data] if data else list(params.source), "schema": schema.plain()},
            service_account=kubeflow.service_account,
            **_when(params, package),
        )
        for recurring in before:
            client.delete_recurring_run(recurring)
        return str(made.recurring_run_id)


def _check(image: str) -> None:
    """Raises `ValueError` for an image by a tag that can be moved: Kubeflow's cache knows code by its image's name."""
    if not PINNED.fullmatch(image):
        raise ValueError(
            f"ADLOOP_IMAGE is {image}, which may change: new code would be answered from the cache of old code. Name "
            f"the image by its digest (…@sha256:…), or by the commit that it was built of as its tag"
        )


def _when(params: Params, package: str) -> dict[str, Any]:
    # No catch-up: the next run covers a missed one.
    return {"cron_expression": params.monitoring.schedule, "no_catchup": True, "pipeline_package_path": package}


def _scheduled(client: "Client", experiment: str, family: str) -> list[str]:
    """Ids of the recurring monitoring runs of `family`."""
    found = client.list_recurring_runs(experiment_id=experiment, page_size=100).recurring_runs or []
    return [str(each.recurring_run_id) for each in found if each.display_name == f"monitor-{family}"]
