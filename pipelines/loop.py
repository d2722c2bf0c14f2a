"""What `adloop run` does: every family through its pipeline, shown as it goes, then told in a table and a report."""

import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.status import Status

from components.params import Params, load
from features.settings import Settings
from features.sources import fingerprint
from pipelines.local import Step, run
from pipelines.report import publish, terminal
from pipelines.training import training


def run_loop(families: Iterable[str], data: str | None, params_file: Path, settings: Settings) -> None:
    """Run the loop on `data` (or the source that the parameters name) and write the report.

    A family without a champion gets one first: the model that would have been trained one horizon ago. The model of
    today is then released over it, canary-style, under held-out traffic, as every later one will be.
    Raises `pipelines.local.StepFailed` when a step fails.
    """
    from models.registry import Registry

    began, console = time.monotonic(), Console()
    params = load(params_file)
    source = data or params.source
    content = fingerprint(source, settings)
    seconds = {}
    for family in families:
        started = time.monotonic()
        horizon = params.family(family).window.horizon_days
        moments = [""] if Registry(settings).champion(family) else [f"-{horizon}d", ""]
        for as_of in moments:
            console.print(
                f"[bold]{family}[/bold] {'as of ' + as_of + ' before the data ends' if as_of else 'as of today'}"
            )
            _pipeline(family, params, {"source": source, "fingerprint": content, "as_of": as_of}, settings, console)
        seconds[family] = time.monotonic() - started
    report = publish(settings, time.monotonic() - began, seconds)
    console.print(terminal.table(report))
    console.print(f"the whole report: {settings.home / 'report' / 'index.html'}")


def _pipeline(family: str, params: Params, where: dict[str, str], settings: Settings, console: Console) -> None:
    with console.status("") as status:
        run(training, family, where | params.arguments(family), settings, lambda step: _show(step, status, console))


def _show(step: Step, status: Status, console: Console) -> None:
    if step.state == "running":
        status.update(f"  {step.name} …")
        return
    mark = {"done": "[green]✓[/green]", "cached": "[dim]=[/dim]", "failed": "[red]✗[/red]"}[step.state]
    console.print(
        f"  {mark} {step.name:<10} {step.seconds:6.1f} s"
        + (" [dim](unchanged)[/dim]" if step.state == "cached" else "")
    )
