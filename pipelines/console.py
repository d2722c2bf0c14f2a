"""Terminal output: as wide as the terminal, or wide enough for a table without one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Width in columns for a log or pipe, so that figures are not truncated.
WIDTH = 140


def console() -> "Console":
    """A console on the standard output."""
    from rich.console import Console

    # Names hold what reads as an emoji: `ad_group:running:exact`.
    return Console(emoji=False) if sys.stdout.isatty() else Console(width=WIDTH, emoji=False)


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Shows progress on standard error: a bar in a terminal, a line per stage in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    errors = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task, last = bar.add_task("", total=1.0), ""

        def tell(what: str, share: float) -> None:
            nonlocal last
            bar.update(task, description=what, completed=share)
            line = f"{share:4.0%} {what}"
            if not errors.is_terminal and line != last:
                errors.print(line, highlight=False)
            last = line

        yield tell
