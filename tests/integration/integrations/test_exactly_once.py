"""Writers killed with SIGKILL while answers are lost: the whole ordeal is a benchmark, this is a short one."""

from pathlib import Path

import pytest

from tests.fakes.ordeal import survive


def test_nothing_is_doubled_or_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_META_URL", "")  # set by the ordeal, and restored after it
    found = survive("meta", tmp_path, writes=100, kills=2, seed=1)
    assert (found.doubled, found.lost) == (0, 0)
    assert found.kills
