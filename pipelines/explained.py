"""Converts expected errors of the `adloop` command to one line with a hint."""

import errno
import sys

import click
from pydantic import ValidationError

#: Hints by file system error.
_MEND = {
    errno.ENOSPC: "free disk space",
    errno.EDQUOT: "free disk space",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "set ADLOOP_HOME to a writable folder"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "set ADLOOP_HOME to another folder"),
}
#: Hints for errors of lazily imported modules, by module and class.
_FOREIGN = (
    ("botocore.exceptions", "BotoCoreError", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"),
    ("botocore.exceptions", "ClientError", "check that the credentials have access to the bucket"),
    ("mlflow.exceptions", "MlflowException", "check that ADLOOP_MLFLOW_URI is reachable"),
    ("sqlite3", "Error", "check that the database in ADLOOP_HOME is writable"),
    ("serving.rollout.plan", "CannotServe", "the logs of servers are in the folder rollout of ADLOOP_HOME"),
)


class Explained(click.Group):
    """A command group that prints expected errors in one line; unexpected ones keep their traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = one_line(error)
            if line is None:
                raise
            raise click.ClickException(line) from error


def one_line(error: Exception) -> str | None:
    """The message of an expected error; None for an unexpected one."""
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
    """The message of an invalid environment variable or field of a file."""
    name = ".".join(map(str, place))
    if not name:  # about several fields, which it names
        return what
    return f"{f'ADLOOP_{name.upper()}' if title == 'Settings' else name}: {what}"


def _line(text: str) -> str:
    return " ".join(text.split())
