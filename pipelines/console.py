"""Where text for people goes: as wide as the terminal, and wide enough for a table where there is none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Columns of a log or a pipe, which has no width of its own: figures are not to be cut there.
WIDTH = 140


def console() -> "Console":
    """A console on the standard output."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Shows on the standard error what is being done and how much is behind: by a bar, in a log by a line a stage."""
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
        task = bar.add_task("", total=1.0)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)
            if not errors.is_terminal:
                errors.print(f"{share:4.0%} {what}", highlight=False)

        yield tell
