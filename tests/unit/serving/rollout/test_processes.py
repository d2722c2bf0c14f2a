"""What is told of a process that died is why."""

import os
import sys
from pathlib import Path

import pytest

from serving.rollout.processes import Process

LEAKS = """nanobind: leaked 2 functions!
 - leaked function "cursor"
nanobind: this is likely caused by a reference counting issue in the binding code.
See https://nanobind.readthedocs.io/en/latest/refleaks.html
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("starting\nOSError: address already in use\n", "OSError: address already in use"),
        (f"OSError: address already in use\n{LEAKS}", "OSError: address already in use"),
        (f"ValueError: no such family\n\n{LEAKS}", "ValueError: no such family"),
        ("", "exit status 3"),
        (LEAKS, "exit status 3"),
    ],
)
def test_its_last_words_are_the_error_and_not_what_a_library_says_of_its_end(
    tmp_path: Path, said: str, why: str
) -> None:
    command = [sys.executable, "-c", f"import sys; print({said!r}, end='', file=sys.stderr); sys.exit(3)"]
    process = Process(command, tmp_path / "log", os.environ)
    process._child.wait(20)
    assert process.last_words() == why
