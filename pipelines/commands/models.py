"""Subcommands that train, release and roll back models, here or on Kubeflow."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from features.settings import Settings
from models.catalog import NAMES
from pipelines.commands.options import DATA, FAMILY, JSON, PARAMS, SCHEMA, schema
from pipelines.kubeflow import Kubeflow


@click.command()
@click.option("--family", type=FAMILY, help="Run this family only. Default: all.")
@click.option("--data", help=f"{DATA}. Default: the sources in params.yaml.")
@SCHEMA
@PARAMS
def run(family: str | None, data: str | None, schema_file: Path | None, params_file: Path) -> None:
    """Run the loop: ingest, validate, featurize, train, gate, register, canary release, monitor.

    A family without a champion is trained twice, on the data as of one horizon ago (texts, which have no dates: on a
    quarter of them) and as of now, so that the second version is released as a canary against the first. Steps whose
    inputs did not change are not run again.

    With --data .adloop/decisions (or the source decision_log) bidding learns from the endpoint's decisions and their
    outcomes. The new version starts from the champion's parameters.
    """
    from pipelines.local import StepFailed
    from pipelines.loop import run_loop

    try:
        run_loop(family, data, params_file, Settings(), schema(schema_file))
    except StepFailed as failed:
        raise click.ClickException(str(failed)) from failed


@click.command("compile")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the YAML files."
)
@click.option("--namespace", help="Write objects of this namespace, for kubectl apply, in place of pipeline files.")
@PARAMS
def compile_pipelines(out: Path, namespace: str | None, params_file: Path) -> None:
    """Compile the pipelines to YAML for Kubeflow Pipelines."""
    from pipelines.submit import compile_all

    for path in compile_all(out, params_file, namespace):
        click.echo(path)


@click.command()
@click.option("--host", required=True, help="Address of the Kubeflow Pipelines API.")
@click.option("--namespace", help="Namespace of the runs; an installation for several users needs it.")
@click.option("--service-account", help="Service account of the runs' pods. Default: the installation's.")
@click.option("--token-file", type=click.File(), help="File with the token of an account that may start runs.")
@click.option("--cookie-file", type=click.File(), help="File with the session cookie of such an account.")
@click.option("--family", type=FAMILY, help="Submit this family only. Default: all.")
@click.option("--data", help="s3:// prefix with your tables. Default: the sources in params.yaml.")
@SCHEMA
@click.option("--schedule", is_flag=True, help="Schedule the daily monitoring instead; it retrains on drift.")
@PARAMS
def submit(
    host: str,
    namespace: str | None,
    service_account: str | None,
    token_file: TextIO | None,
    cookie_file: TextIO | None,
    family: str | None,
    data: str | None,
    schema_file: Path | None,
    schedule: bool,
    params_file: Path,
) -> None:
    """Run the pipelines on Kubeflow.

    ADLOOP_IMAGE names the image of the steps, by digest or with its commit as the tag.
    """
    from pipelines import submit as pipelines

    token, cookie = (file.read().strip() if file else None for file in (token_file, cookie_file))
    kubeflow = Kubeflow(host, namespace, service_account, token, cookie)
    start = pipelines.schedule if schedule else pipelines.submit
    for name in [family] if family else NAMES:
        click.echo(f"{name}: {start(kubeflow, name, params_file, Settings(), data, schema(schema_file))}")


@click.command()
@click.argument("family", type=FAMILY)
@click.option("--version", help="Default: the newest version that passed its gates.")
@PARAMS
def release(family: str, version: str | None, params_file: Path) -> None:
    """Release a registered version of FAMILY as a canary against its champion.

    Traffic moves in the steps of `release` in params.yaml. A candidate that does worse is rolled back.
    Traffic comes from the running `adloop serve` or from KServe. If neither runs, the rows that the version was
    evaluated on are replayed.
    """
    from components.params import load
    from components.release.step import release as step

    plan = load(params_file).arguments(family)["plan"]
    done = step(family, version or _newest(family), plan, Settings())
    click.echo(f"{family} version {done.version}: {done.outcome.replace('_', ' ')} ({done.reason})")


def _newest(family: str) -> str:
    """The newest version that passed its gates."""
    from models.registry import REJECTED, Registry

    passed = [version for version in Registry(Settings()).versions(family) if version.status != REJECTED]
    if not passed:
        raise LookupError(f"{family} has no version that passed its gates: adloop run --family {family}")
    return passed[0].version


@click.command()
@click.argument("family", type=FAMILY)
@click.option("--data", required=True, help="Parquet file, or folder or s3:// prefix of Parquet files.")
@click.option("--out", required=True, help="Folder or s3:// prefix for the scores.")
@click.option("--version", help="Default: the champion.")
@JSON
def score(family: str, data: str, out: str, version: str | None, as_json: bool) -> None:
    """Score many rows with the champion of FAMILY, without a server.

    Rows are what its endpoint takes: all features of the model, or ids (customer_id), whose features are looked up
    online. Files and row groups are scored side by side, in memory that does not grow with them; ADLOOP_THREADS sets
    how many at a time. Each partition's scores are one file, in the order of its rows. A run that was ended goes on
    with what is missing.
    """
    from components.score.step import score as step
    from features.store import OnlineStoreUnavailable
    from pipelines.console import progress

    settings = Settings()
    processes = settings.threads or len(os.sched_getaffinity(0))
    try:
        with progress() as tell:
            done = step(family, data, out, settings, version, processes=processes, tell=tell)
    except OnlineStoreUnavailable as gone:
        raise click.ClickException(f"{gone}; {family}'s features are published by adloop run") from gone
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
        return
    known = f", {done.unknown:,} of them without features" if done.unknown else ""
    before = f"; {done.found} partitions were there" if done.found else ""
    click.echo(
        f"{family} version {done.version}: {done.rows:,} rows{known}, {done.partitions} partitions{before}: {out}"
    )


@click.command()
@click.argument("family", type=FAMILY)
def rollback(family: str) -> None:
    """Return FAMILY to its previous champion at once."""
    from components.release.step import rollback as roll_back

    click.echo(f"{family}: version {roll_back(family, Settings())} is champion again")


@click.command()
@JSON
def status(as_json: bool) -> None:
    """Show what is trained, registered, released, drifting and not answering."""
    from pipelines import status as standing

    found = standing.status(Settings())
    click.echo(json.dumps(found, indent=2) if as_json else standing.as_table(found))
