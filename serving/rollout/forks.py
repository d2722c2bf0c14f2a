"""Model servers forked from one process that has imported what they need.

Each starts in a fifth of the time of a new Python, and they share the memory of what is imported. The process that
forks starts with the first server. Where it dies, its servers die with it, and it starts again with the next.
"""

import multiprocessing
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from setproctitle import setproctitle

from serving.rollout.die_with_parent import die_with_parent

#: The module that the process that forks begins with.
PRELOAD = "serving.rollout.preload"
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([PRELOAD])


class Forked:
    """`python -m MODULE ARGUMENTS…`, forked; with the methods of `subprocess.Popen`. It dies with its owner, which is
    this process.

    Raises `ChildProcessError` where the process that forks died.
    """

    def __init__(self, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        log.touch()  # it may be read before the server writes it
        given = (module, tuple(arguments), log.absolute(), dict(environment))
        self._process = _FORKS.Process(target=_run, args=given, daemon=True)  # this process does not wait for its end
        try:
            self._process.start()
        except (EOFError, ConnectionError) as gone:
            raise ChildProcessError("the process that forks model servers died") from gone

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return self._process.exitcode


def _run(module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
    """Become the server."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    # The parent is the process that forks, which lives as long as any server does, whoever asked for it.
    die_with_parent()
    threading.Thread(target=_die_with_owner, daemon=True).start()
    with log.open("wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    setproctitle(shlex.join([sys.executable, "-m", module, *arguments]))  # for lists of processes
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _die_with_owner() -> None:
    owner = multiprocessing.parent_process()  # as multiprocessing calls who asked for this process
    if owner is not None:
        owner.join()
    os.kill(os.getpid(), signal.SIGKILL)
