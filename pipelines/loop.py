"""`adloop run`: runs every family's pipeline, two at once, and writes a table and a report."""

import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape

from components.params import Params, load
from features.schema import Schema
from features.settings import Settings
from features.sources import AS_THEY_ARE, fingerprint, learns, read, tables
from features.tables import Tables
from models import catalog
from pipelines import simulated_platforms, simulation
from pipelines.console import console as terminal_or_log
from pipelines.content import draft_example, last_copy
from pipelines.local import PipelineStep, run
from pipelines.report import publish, terminal
from pipelines.side_by_side import Progress, side_by_side, threads_each
from serving.decisions.kinds.bid import FAMILY


def run_loop(
    family: str | None, data: str | None, params_file: Path, settings: Settings, schema: Schema = AS_THEY_ARE
) -> None:
    """Run the loop of `family`, or of all, on `data` (or the sources in the parameters) and write the report.

    Args:
        schema: how to convert the files of `data` into canonical tables.
        family: None for all families whose table exists.

    A family without a champion first gets an earlier model (see `trainings`). Today's model is then released over it as
    a canary under held-out traffic. On the champion's own decisions, training starts from the champion.
    Raises `pipelines.local.StepFailed` when a step fails, and `ValueError` where a table of `family` is missing.
    """
    from models.registry import Registry

    began, console = time.monotonic(), terminal_or_log()
    params = load(params_file)
    source = [data] if data else list(params.source)
    given = {"source": source, "fingerprint": fingerprint(source, settings, schema), "schema": schema.plain()}
    names = list(_learnable(family, source, settings, console, schema))
    progress, threads = Progress(console), threads_each(len(names))
    seconds, tables_hold = dict[str, float](), Future[bool]()  # the first family reads and checks the tables for all

    def step_of(name: str, step: PipelineStep) -> None:
        progress.show(name, step)
        if step.name == "featurize" and not tables_hold.done():
            tables_hold.set_result(True)

    def pipelines_of(name: str) -> None:
        if name != names[0] and not tables_hold.result():
            return
        started = time.monotonic()
        try:
            with _one_at_a_time(name, settings, console):
                for one in trainings(name, params, Registry(settings).champion(name) is None):
                    console.print(f"[bold]{name}[/bold] {one.told}")
                    where = given | {"as_of": one.as_of, "start": goes_on_from(name, source, settings)}
                    asked = where | params.arguments(name) | {"params": dict(one.section)}
                    run("pipelines.training.training", name, asked, settings, partial(step_of, name), threads)
        finally:
            if not tables_hold.done():
                tables_hold.set_result(False)
        seconds[name] = time.monotonic() - started

    with progress:
        side_by_side(names, pipelines_of)
    _simulated_day(FAMILY in seconds, params_file, settings, console)
    _experiments(source, settings, console, schema)
    if len(names) > 1 and last_copy(settings) is None:
        draft_example(settings)
    _listening(seconds, settings, console)
    _pictures(seconds, settings, console)
    report = publish(settings, time.monotonic() - began, seconds)
    console.print(terminal.table(report))
    console.print(f"report: {escape(str(settings.home / 'report' / 'index.html'))}")


@contextmanager
def _one_at_a_time(family: str, settings: Settings, console: Console) -> Iterator[None]:
    """Wait for another run of the family, so that two first runs do not release the earlier model over today's."""
    lock = FileLock(settings.home / "runs" / f"{family}.loop.lock")
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print(f"[bold]{family}[/bold] waits for another run to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Training:
    """As of when a family is trained, by which parameters, and how that is told."""

    told: str
    as_of: str
    section: Mapping[str, Any]


def trainings(name: str, params: Params, first: bool) -> list[Training]:
    """What a run trains. A first run starts with an earlier model, so that today's has a champion to be compared with:
    that of one horizon ago or, for a family without a window, one of its `first` parameters.
    """
    read, section, smaller = params.family(name), params.section(name), catalog.family(name).first
    window, earlier = getattr(read, "window", None), list[Training]()
    if first and window is not None:
        before = f"-{window.horizon_days}d"
        earlier = [Training(f"as of {before} before the data ends", before, section)]
    elif first and smaller is not None:
        earlier = [Training("by a smaller model, to start with", "", smaller(read).model_dump(mode="json"))]
    return [*earlier, Training("as of today", "", section)]


def goes_on_from(family: str, source: list[str], settings: Settings) -> str:
    """The version that training starts from: the champion for a decision log, else none."""
    from models.registry import Registry

    if catalog.family(family).update is None or not learns(source, settings):
        return ""
    champion = Registry(settings).champion(family)
    return "" if champion is None else champion.version


def _simulated_day(bids: bool, params_file: Path, settings: Settings, console: Console) -> None:
    """Simulate a day through the decision endpoint, where this run includes bidding and has a champion.

    Skipped for a champion that was simulated before.
    """
    console.print("[bold]decisions[/bold] a simulated day through the endpoint")
    try:
        if not bids:
            raise LookupError("bidding is not part of this run")
        if simulation.played(settings):
            console.print("  = already simulated for this champion [dim](unchanged)[/dim]")
            return
        done = simulation.simulate(simulation.CAMPAIGNS, 1, None, params_file, settings, console)
        console.print(simulation.table(done))
        days = simulated_platforms.apply_day(settings)
        if days:
            console.print(simulated_platforms.table(days))
    except (LookupError, ConnectionError) as missing:  # write the report anyway
        console.print(f"  simulation skipped: {missing}")


def _experiments(source: list[str], settings: Settings, console: Console, schema: Schema) -> None:
    """Look at the experiments in the table of impressions, for the report."""
    from serving.experiments.trials.look import look_at_all

    shown = [one for one in source if "impressions" in tables(one, settings, schema)]
    if not shown:
        return
    with tempfile.TemporaryDirectory(prefix="adloop-") as folder:
        read(shown, Path(folder), settings, schema)
        try:
            found, notes = look_at_all(Tables(Path(folder), settings.limits), settings)
        except LookupError as none:
            console.print(f"[bold]experiments[/bold] {escape(str(none))}")
            return
    console.print(f"[bold]experiments[/bold] looked at {len(found)} in the table 'impressions'")
    for note in notes:
        console.print(f"    [yellow]note[/yellow] {escape(note)}", soft_wrap=True)


def _listening(ran: Collection[str], settings: Settings, console: Console) -> None:
    """Listen to the simulated stream, where this run made the classifier that rates it."""
    from features.sources import rated_texts
    from models.text.embedding import embed
    from serving.listening import simulated
    from serving.texts.classifier import FAMILY as RATES
    from serving.texts.classifier import ReleasedClassifier

    if RATES.name not in ran:
        return
    console.print("[bold]listening[/bold] to a simulated stream of rated tweets")
    try:
        tweets = rated_texts.texts("tweets")
        rated = list(zip(tweets["text"].tolist(), tweets["score"].tolist(), strict=True))
        simulated.simulate(settings, rated, ReleasedClassifier(settings), embed)
    except (LookupError, FileNotFoundError) as missing:  # write the report anyway
        console.print(f"  skipped: {escape(str(missing))}")


def _pictures(ran: Collection[str], settings: Settings, console: Console) -> None:
    """Draw the example of the report, where this run learnt from pictures."""
    from pipelines.example_picture import draw_example
    from serving.images.rating import FAMILY as SEES

    if SEES.name in ran:
        console.print("[bold]pictures[/bold] an example ad is looked at, and made to fit two formats")
        draw_example(settings)


def _learnable(
    family: str | None, source: list[str], settings: Settings, console: Console, schema: Schema = AS_THEY_ARE
) -> Iterator[str]:
    """The families to run: all whose table exists, or the requested one."""
    present = [table for one in source for table in tables(one, settings, schema)]
    for name in [family] if family else catalog.NAMES:
        needed = catalog.family(name).table
        if needed is None or needed in present:
            yield name
        elif family:
            raise ValueError(f"{name} learns from the table '{needed}'; {', '.join(source)} has: {', '.join(present)}")
        else:
            console.print(f"[bold]{name}[/bold] is left out: it learns from the table '{needed}', and there is none")
