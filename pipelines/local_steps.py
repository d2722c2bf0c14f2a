"""Runs the steps of `kfp.local` as forks of the process that runs the pipeline.

kfp starts a new interpreter for each, which imports again what the pipeline's process and the steps before have
imported: more than half of what a short step takes.
"""

import builtins
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_print = builtins.print


def fork(prepare: Callable[[str], None]) -> None:
    """Fork every step from now on. `prepare` of a step's name, called just before, imports here what it and later ones
    share: only that, as a fork has none of this process's threads.
    """
    from kfp.local import subprocess_task_handler

    def run(full_command: Sequence[str], env_vars: Mapping[str, str] | None = None) -> int:
        """In place of kfp's `run_local_subprocess`: prints what the step prints and returns its exit code."""
        source = next(number for number, word in enumerate(full_command) if "ephemeral_component.py" in word) + 1
        code, arguments = full_command[source], full_command[source + 1 :]
        prepare(arguments[arguments.index("--function_to_execute") + 1])
        pipe = os.pipe()
        step = multiprocessing.get_context("fork").Process(target=_run, args=(code, arguments, env_vars or {}, pipe))
        step.start()
        os.close(pipe[1])
        with os.fdopen(pipe[0], errors="replace") as printed:
            for line in printed:
                print(line, end="")
        print("\n")
        step.join()
        return step.exitcode or 0

    subprocess_task_handler.run_local_subprocess = run


def _run(code: str, arguments: Sequence[str], variables: Mapping[str, str], pipe: tuple[int, int]) -> None:
    """What kfp's command for a step does, in a fork: undoes first what kfp has set up to print in the parent."""
    from kfp.dsl.executor_main import executor_main

    for output in (1, 2):
        os.dup2(pipe[1], output)
    for end in pipe:
        os.close(end)
    builtins.print = _print
    logging.getLogger().handlers.clear()
    os.environ |= {**variables, "_KFP_RUNTIME": "true"}
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "ephemeral_component.py"
        module.write_text(code)
        sys.argv = ["kfp.dsl.executor_main", "--component_module_path", str(module), *arguments]
        executor_main()
