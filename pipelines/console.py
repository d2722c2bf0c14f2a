"""Where text for people goes: as wide as the terminal, and wide enough for a table where there is none."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

#: Columns of a log or a pipe, which has no width of its own: figures are not to be cut there.
WIDTH = 140


def console() -> "Console":
    """A console on the standard output."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=WIDTH)
