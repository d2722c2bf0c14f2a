import subprocess
import sys

import pytest

from tests.benchmarks.run import measure

GRANDCHILD = "b = bytearray(300 * 2**20); b[::4096] = b'x' * len(b[::4096]); import time; time.sleep(0.5)"


def test_the_largest_process_of_the_tree_counts_not_the_sum(tmp_path):
    parent = f"import subprocess, sys; [subprocess.run([sys.executable, '-c', {GRANDCHILD!r}]) for _ in range(2)]"
    measured = measure([sys.executable, "-c", parent], tmp_path)
    assert 300 * 2**20 <= measured.peak < 400 * 2**20
    assert measured.seconds > 1


def test_the_command_finds_its_home(tmp_path):
    measure([sys.executable, "-c", "import os; open(os.environ['ADLOOP_HOME'] + '/here', 'w')"], tmp_path)
    assert (tmp_path / "here").exists()


def test_a_failure_is_told_with_what_was_printed(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        measure([sys.executable, "-c", "raise SystemExit('no such table')"], tmp_path)
    assert "no such table" in failed.value.output
