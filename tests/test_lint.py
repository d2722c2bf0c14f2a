"""Formatting, types and floors are tests among others, so that they run beside them."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.mark.timeout(900)
def test_lint_finds_nothing() -> None:
    # With a PYTHONPATH mypy takes the packages on it for installed ones, and skips them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command, place = ["make", "lint"], Path(__file__).parents[1]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
