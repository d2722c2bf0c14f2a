"""Runs one step from the command line, for `dvc.yaml` and `MLproject`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from components import wire
from components.params import Params, load
from features.privacy import keep_private, stay_private
from features.settings import Settings
from models.catalog import NAMES
from models.kept import keep_in

#: In this order. The first ones make the tables that all families share.
TABLES, OF_FAMILY = ("ingest", "validate"), ("featurize", "train", "gate", "register", "release", "monitor")


class StepContext:
    """Context of a step: settings, parameters, and the folders that steps share."""

    def __init__(self, home: Path | None, params: Path, family: str) -> None:
        self.settings = Settings(home=home) if home else Settings()
        keep_private(self.settings.home)
        keep_in(self.settings.home / "encoded")
        self.params: Params = load(params)
        self.family = family
        self.data, self.own = self.settings.home / "runs" / "data", self.settings.home / "runs" / family
        self.staged, self.tables = self.data / "staged", self.data / "tables"
        self.features, self.bundle, self.gate = (self.own / name for name in ("features", "bundle", "gate"))

    @property
    def section(self) -> dict[str, Any]:
        """The family's section of the parameters, checked."""
        self.params.family(self.family)
        return self.params.section(self.family)

    def record(self, verb: str) -> Path:
        """Path of a step's result; missing until the step succeeds."""
        return (self.data if verb in TABLES else self.own) / f"{verb}.json"

    def done(self, verb: str, result: Any) -> None:
        """Write the result to `<verb>.json` and print it."""
        wire.write(result, str(self.record(verb)))
        click.echo(self.record(verb).read_text())


@dataclass(frozen=True)
class ReleaseRefused:
    """The result of `release` for a version that a gate refused."""

    family: str
    version: str
    outcome: str
    reason: str


class Verbs(click.Group):
    """A command group that prints expected errors in one line; unexpected ones keep their traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, LookupError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Run one step of a family's pipeline; `adloop run` runs them all.

    \b
    In order:  ingest  validate  featurize  train  gate  register  release  monitor
    Example:   python -m components train --family churn

    Each step reads what the one before left in HOME/runs/FAMILY (tables, which all families share, in HOME/runs/data)
    and leaves its own result there, also as <step>.json. The same functions run as Kubeflow components.
    """
    stay_private()


RUN: dict[str, Callable[..., Any]] = {}


def _verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register `function(step, …)` under its name, with the common options."""
    name = RUN.setdefault(function.__name__, function).__name__

    @click.option(
        "--home", type=click.Path(path_type=Path), help="Folder of all state; default: ADLOOP_HOME or .adloop."
    )
    @click.option("--params", type=click.Path(exists=True, path_type=Path), default="params.yaml", show_default=True)
    def command(home: Path | None, params: Path, family: str = "", **options: Any) -> None:
        step = StepContext(home, params, family)
        step.done(name, function(step, **options))

    if name in OF_FAMILY:
        command = click.option("--family", type=click.Choice(NAMES), required=True, help="Family of models.")(command)
    command.__doc__ = function.__doc__
    command.__click_params__ += getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    main.command(name)(command)
    return function


@_verb
@click.option("--data", help="Folder or s3:// prefix with your tables; default: the source in the parameters.")
@click.option("--schema", type=click.Path(exists=True, path_type=Path), help="How the files map to canonical tables.")
def ingest(step: StepContext, data: str | None, schema: Path | None) -> Any:
    """Read a source and stage its canonical tables."""
    from components.ingest.step import ingest as run
    from features.schema import Schema, load

    source = [data] if data else step.params.source
    return run(source, step.staged, step.settings, load(schema) if schema else Schema())


@_verb
def validate(step: StepContext) -> Any:
    """Check the contracts of the staged tables, and publish the tables if all hold."""
    from components.validate.step import validate as run

    return run(step.staged, step.tables)


@_verb
@click.option("--as-of", help="Ignore events after this time; default: none.")
def featurize(step: StepContext, as_of: str | None) -> Any:
    """Compute the family's training frame, and publish its features online."""
    from components.featurize.step import featurize as run

    return run(step.tables, step.family, step.section, as_of, step.settings, step.features)


@_verb
@click.option("--with-earlier", is_flag=True, help="Run missing earlier steps first.")
def train(step: StepContext, with_earlier: bool) -> Any:
    """Train the family and write an unsigned bundle; resumes after a kill."""
    from components.train.step import train as run

    if with_earlier:
        _run_missing(step)

    return run(step.features, step.family, step.section, step.own / "checkpoint", step.bundle)


@_verb
def gate(step: StepContext) -> Any:
    """Evaluate the bundle against its baselines and the champion, and apply the gates."""
    from components.gate.step import gate as run

    sensitive = list(step.params.fairness.sensitive)
    return run(step.features, step.bundle, step.family, step.section, sensitive, step.settings, step.gate)


@_verb
def register(step: StepContext) -> Any:
    """Sign the bundle and register it as a version, challenger or rejected."""
    from components.register.step import register as run

    return run(step.bundle, step.gate, step.settings)


@_verb
@click.option("--version", help="Registered version; default: the one registered last by this home's steps.")
def release(step: StepContext, version: str | None) -> Any:
    """Release a version step by step against the champion, under replayed held-out traffic."""
    from components.release.step import release as run

    if version is None:
        last = json.loads(step.record("register").read_text())
        if last["status"] == "rejected":
            return ReleaseRefused(step.family, last["version"], "refused", last["reason"])
        version = last["version"]
    plan = step.params.arguments(step.family)["plan"]
    return run(step.family, version, plan, step.settings, replay=True)


@_verb
def monitor(step: StepContext) -> Any:
    """Compare the champion's requests and answers with its reference."""
    from components.monitor.step import monitor as run

    return run(step.family, step.params.arguments(step.family)["monitoring"], step.settings)


def _run_missing(step: StepContext) -> None:
    """Run missing steps before training."""
    for verb, options in (("ingest", {"data": None, "schema": None}), ("validate", {}), ("featurize", {"as_of": None})):
        if not step.record(verb).exists():
            step.done(verb, RUN[verb](step, **options))


@main.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all state; default: ADLOOP_HOME or .adloop.")
@click.option("--params", type=click.Path(exists=True, path_type=Path), default="params.yaml", show_default=True)
def fingerprint(home: Path | None, params: Path) -> None:
    """Write a fingerprint of the source's content, which decides whether ingest runs again."""
    from features.sources import fingerprint

    step = StepContext(home, params, "")
    step.data.mkdir(parents=True, exist_ok=True)
    (step.data / "fingerprint").write_text(fingerprint(step.params.source, step.settings))


if __name__ == "__main__":
    main(prog_name="python -m components")
