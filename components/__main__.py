"""One step from the command line: what `dvc.yaml` and `MLproject` call."""

from pathlib import Path
from typing import Any

import click

from components import wire
from components.params import Params, load
from features.privacy import stay_private
from features.settings import Settings
from models.catalog import NAMES


class Places:
    """Where a family's steps leave what the next one reads."""

    def __init__(self, settings: Settings, family: str) -> None:
        self.root = settings.home / "runs" / family
        self.staged, self.tables, self.features = self.root / "staged", self.root / "tables", self.root / "features"
        self.checkpoint, self.bundle, self.evaluation = (
            self.root / "checkpoint",
            self.root / "bundle",
            self.root / "evaluation",
        )


class Step:
    """What every verb is given: settings, parameters and places of one family."""

    def __init__(self, home: Path | None, params: Path, family: str) -> None:
        self.settings = Settings(home=home) if home else Settings()
        self.params: Params = load(params)
        self.family = family
        self.places = Places(self.settings, family)

    @property
    def section(self) -> dict[str, Any]:
        """The family's section of the parameters, checked."""
        self.params.family(self.family)
        return self.params.section(self.family)

    def done(self, verb: str, result: Any) -> None:
        """Keep the result as `<verb>.json` and print it."""
        wire.write(result, str(self.places.root / f"{verb}.json"))
        click.echo((self.places.root / f"{verb}.json").read_text())


class Verbs(click.Group):
    """Turns the errors that steps raise on purpose into one line; anything else keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, LookupError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Run one step of a family's pipeline; `adloop run` runs them all.

    \b
    In order:  ingest  validate  featurize  train  evaluate  register  release  monitor
    Example:   python -m components train --family churn

    Each step reads what the one before left in HOME/runs/FAMILY and leaves its own result there, also as
    <step>.json. The same functions run as Kubeflow components.
    """
    stay_private()


def _verb(function: Any) -> Any:
    """Register `function(step, …)` under its name, with the options that all verbs share."""
    name = function.__name__

    @click.option("--family", type=click.Choice(NAMES), required=True, help="Whose pipeline.")
    @click.option(
        "--home", type=click.Path(path_type=Path), help="Folder of all state; default: ADLOOP_HOME or .adloop."
    )
    @click.option("--params", type=click.Path(exists=True, path_type=Path), default="params.yaml", show_default=True)
    def command(family: str, home: Path | None, params: Path, **options: Any) -> None:
        step = Step(home, params, family)
        step.done(name, function(step, **options))

    command.__doc__ = function.__doc__
    command.__click_params__ += getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    main.command(name)(command)
    return function


@_verb
@click.option("--data", help="Folder or s3:// prefix with your tables; default: the source in the parameters.")
def ingest(step: Step, data: str | None) -> Any:
    """Read a source and stage its canonical tables."""
    from components.ingest.step import ingest as run

    return run(data or step.params.source, step.places.staged, step.settings)


@_verb
def validate(step: Step) -> Any:
    """Hold the staged tables to their contracts and publish them if they keep them."""
    from components.validate.step import validate as run

    return run(step.places.staged, step.places.tables)


@_verb
@click.option("--as-of", help="Leave out what happened later than this moment; default: nothing.")
def featurize(step: Step, as_of: str | None) -> Any:
    """Make the frame the family learns from, and its features online."""
    from components.featurize.step import featurize as run

    return run(step.places.tables, step.family, step.section, as_of, step.settings, step.places.features)


@_verb
def train(step: Step) -> Any:
    """Fit the family and write an unsigned bundle; killed and run again, it resumes."""
    from components.train.step import train as run

    places = step.places
    return run(places.features, step.family, step.section, places.checkpoint, places.bundle)


@_verb
def evaluate(step: Step) -> Any:
    """Measure the bundle beside baselines and champion, and ask the gates."""
    from components.evaluate.step import evaluate as run

    places, sensitive = step.places, list(step.params.fairness.sensitive)
    return run(places.features, places.bundle, step.family, step.section, sensitive, step.settings, places.evaluation)


@_verb
def register(step: Step) -> Any:
    """Sign the bundle and make it a version: a challenger, or rejected for a reason."""
    from components.register.step import register as run

    return run(step.places.bundle, step.places.evaluation, step.settings)


@_verb
@click.option("--version", help="Which registered version; default: the challenger.")
def release(step: Step, version: str | None) -> Any:
    """Release a version step by step against the champion, under replayed held-out traffic."""
    from components.release.step import release as run
    from models.registry import Registry

    if version is None:
        challenger = Registry(step.settings).challenger(step.family)
        if challenger is None:
            raise LookupError(f"{step.family} has no challenger to release: register one, or give --version")
        version = challenger.version
    plan = step.params.arguments(step.family)["plan"]
    return run(step.family, version, step.places.features, plan, step.settings)


@_verb
def monitor(step: Step) -> Any:
    """Compare what the champion is asked and answers with its reference."""
    from components.monitor.step import monitor as run

    return run(step.family, step.params.arguments(step.family)["monitoring"], step.settings)


if __name__ == "__main__":
    main(prog_name="python -m components")
