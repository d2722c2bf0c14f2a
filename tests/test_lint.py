"""Formatting, types and floors are tests among others, so that they run beside them."""

import subprocess
from pathlib import Path

import pytest


@pytest.mark.timeout(900)
def test_lint_finds_nothing() -> None:
    command = ["make", "lint"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
