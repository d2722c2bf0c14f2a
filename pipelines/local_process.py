"""One run through `kfp.local` in a separate process, started by `pipelines.local`: kfp keeps its configuration, log
handlers and a patched `print` in globals, so two runs in one process would mix.

Reads its task as a JSON line from standard input, writes a JSON line to standard output when a step starts or ends,
and everything else to the log file. Each step is a process of its own, forked from this one (`local_steps`).
"""

import importlib
import itertools
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock

from features.lazy_imports import lasting, standing_in
from features.privacy import stay_private
from pipelines import local_steps

Tell = Callable[..., None]


def main() -> None:
    """Run the task on standard input; end with code 1 if a step failed."""
    stay_private()
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    events = _log_everything_to(Path(task["log"]))

    def tell(**event: Any) -> None:
        events.write(json.dumps(event, default=str) + "\n")
        events.flush()

    with FileLock(Path(task["runs"]) / f"{task['family']}.lock"):
        run(task, tell)


def run(task: dict[str, Any], tell: Tell) -> None:
    """Run the pipeline named by `task`. Ends the process with code 0 once a failed step was reported; kfp's traceback
    is in the log.
    """
    # kfp imports its client of a cluster, and Kubernetes' with it, which takes longer than all else of it.
    with lasting(), standing_in("kfp.client", Client=None):
        from kfp import local

    runs = Path(task["runs"])
    module, _, make = task["pipeline"].rpartition(".")
    pipelines = importlib.import_module(module)
    pipeline = getattr(pipelines, make)(task["family"])
    local_steps.fork(getattr(pipelines, "prepare", lambda step: None))
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(runs / "outputs"),
        # named here, because kfp makes one that it leaves behind otherwise
        workspace_root=str(runs / "workspace" / str(os.getpid())),
        enable_caching=True,
        cache_root=task["cache"],
    )
    told_of_failure = _watch_steps(tell, Path(task["log"]))
    try:
        pipeline(**task["arguments"])
    except RuntimeError:
        traceback.print_exc()
        if not told_of_failure():
            raise


def _watch_steps(tell: Tell, log: Path) -> Callable[[], bool]:
    """Report each step as it starts and ends. Returns a function: was a failed step reported?

    kfp.local has no callbacks and hides the outputs of conditional tasks, but both of its orchestrators run every task
    through this one function.
    """
    from kfp.local import status
    from kfp.local.orchestrator import task_executor

    from pipelines.compute import STEPS

    here = {step for step, compute in STEPS.items() if compute.cached == "here"}
    execute, failed = task_executor.execute_single_task, []

    def watched(*, task_name: str, task_spec: Any, pipeline_resource_name: str, **rest: Any) -> Any:
        # Retries are for preempted nodes; here the same step would only fail again.
        task_spec.ClearField("retry_policy")
        if task_name in here:  # the folder of this cache names the code and the places, which Kubeflow's key does not
            task_spec.caching_options.enable_cache = True
        step, began, start = task_name, time.monotonic(), log.stat().st_size
        tell(name=step, state="running", seconds=0.0, result={})
        outputs, ended = execute(
            task_name=task_name, task_spec=task_spec, pipeline_resource_name=pipeline_resource_name, **rest
        )
        seconds = time.monotonic() - began
        if ended == status.Status.FAILURE:
            failed.append(step)
            sys.stdout.flush()
            tell(name=step, state="failed", seconds=seconds, result={"error": last_error(log, start)})
        else:
            result = Path(outputs["result"].path)
            state = "done" if pipeline_resource_name in result.parts else "cached"
            tell(name=step, state=state, seconds=seconds, result=json.loads(result.read_text()))
        return outputs, ended

    task_executor.execute_single_task = watched
    return lambda: bool(failed)


def last_error(log: Path, start: int) -> str:
    """The last exception in `log` after byte `start`: class name without module, and message."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    # kfp indents what a step prints by four, and its own lines not at all
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    raised = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if not raised:
        return "it ended without an error message: killed, or out of memory"
    after = itertools.dropwhile(lambda line: line.startswith(" "), lines[raised[-1] + 1 :])
    return re.sub(r"^(\w+\.)+(?=\w+:)", "", "\n".join(after).strip())


def _log_everything_to(log: Path) -> TextIO:
    """Point standard output and error, and those of every step, at `log`. Returns the old standard output."""
    events = os.fdopen(os.dup(1), "w")
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    return events


def _end_with_parent() -> None:
    """Wait until the parent closes its end of standard input, then end this process and every step it started.

    Reads past `sys.stdin`, whose lock a step that is forked meanwhile would find taken.
    """
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
