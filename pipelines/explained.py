"""Errors of the `adloop` command as one line each: what is wrong, and what to do about it."""

import errno
import sys

import click
from pydantic import ValidationError

#: What a full disk, a folder of somebody else or a read-only one calls for.
_MEND = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room on that disk",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "use a folder you may write, by ADLOOP_HOME"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "use another folder, by ADLOOP_HOME"),
}
#: Errors of libraries that are loaded only where they are needed, by module and name.
_FOREIGN = (
    ("botocore.exceptions", "BotoCoreError", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"),
    ("botocore.exceptions", "ClientError", "see that the credentials may use that bucket"),
    ("mlflow.exceptions", "MlflowException", "see that ADLOOP_MLFLOW_URI answers"),
    ("sqlite3", "Error", "see that the database in ADLOOP_HOME can be written"),
)


class Explained(click.Group):
    """Turns the errors adloop raises on purpose, and those of its surroundings, into one line; others keep their
    traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = said(error)
            if line is None:
                raise
            raise click.ClickException(line) from error


class Rate(click.FloatRange):
    """A finite number above zero."""

    name = "rate"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = float(super().convert(value, param, ctx))
        if not found > 0:  # NaN is neither below nor above
            self.fail(f"expected a number above 0, got {value}", param, ctx)
        return found


def said(error: Exception) -> str | None:
    """The error in a line; None for one that nobody foresaw."""
    if isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort):
        return None
    for module, name, mend in _FOREIGN:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return f"{_line(str(error))}; {mend}"
    if isinstance(error, ValidationError):
        return "; ".join(_fault(error.title, one["loc"], one["msg"]) for one in error.errors())
    if isinstance(error, OSError) and error.strerror and error.filename:
        mend = _MEND.get(error.errno or 0)
        return f"{error.filename}: {error.strerror}" + (f"; {mend}" if mend else "")
    return _line(str(error)) if isinstance(error, ValueError | LookupError | OSError) else None


def _fault(title: str, place: tuple[int | str, ...], what: str) -> str:
    """A fault of a variable of the environment, or of a field of a file."""
    name = ".".join(map(str, place))
    return f"{f'ADLOOP_{name.upper()}' if title == 'Settings' else name}: {what}"


def _line(text: str) -> str:
    return " ".join(text.split())
