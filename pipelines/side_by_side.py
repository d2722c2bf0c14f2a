"""Runs the pipelines of several families side by side, and shows how far each is."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape

from pipelines.local import PipelineStep

#: Families that run at once: most of the time a step uses one core.
ABREAST = 2
_MARKS = {"done": "[green]✓[/green]", "cached": "[dim]=[/dim]", "failed": "[red]✗[/red]"}


def side_by_side(names: Sequence[str], work: Callable[[str], None]) -> None:
    """Call `work` of each name, in order, `ABREAST` of them at once.

    After an error nothing new begins; it is raised once what runs beside it has ended. The threads do not outlive this
    process, so that an interrupt ends it at once, and with it the pipelines that it started.
    """
    left, errors = iter(names), list[Exception]()

    def go_on() -> None:
        for name in left:
            try:
                work(name)
            except Exception as error:
                errors.append(error)
            if errors:
                return

    threads = [Thread(target=go_on, daemon=True) for _ in range(min(ABREAST, len(names)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def threads_each(families: int) -> int:
    """Threads of a pipeline's numerical libraries, so that those that run at once share the cores."""
    cores = os.cpu_count() or 1
    given = int(os.environ.get("OMP_NUM_THREADS", cores))
    return max(1, min(given, cores // max(1, min(ABREAST, families))))


class Progress(AbstractContextManager["Progress"]):
    """A line for each step that has ended, and one below them of what runs now."""

    def __init__(self, console: Console) -> None:
        self._console, self._status = console, console.status("")
        self._running: dict[str, str] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def show(self, family: str, step: PipelineStep) -> None:
        """Show that a step of a family's pipeline began or ended."""
        with self._lock:
            if step.state == "running":
                self._running[family] = step.name
            else:
                self._running.pop(family, None)
                self._ended(family, step)
            self._status.update("  " + " · ".join(f"{one} {name} …" for one, name in self._running.items()))

    def _ended(self, family: str, step: PipelineStep) -> None:
        unchanged = " (unchanged)" if step.state == "cached" else ""
        self._console.print(
            f"  {_MARKS[step.state]} {step.name:<10} {step.seconds:6.1f} s [dim]{family}{unchanged}[/dim]"
        )
        for note in step.result.get("notes", ()) if step.name == "ingest" else ():
            self._console.print(f"    [yellow]note[/yellow] {escape(note)}", soft_wrap=True)
