"""Writers killed with SIGKILL while answers are lost: the whole ordeal is a benchmark, this is a short one."""

from pathlib import Path

from tests.fakes.ordeal import survive


def test_nothing_is_doubled_or_lost(tmp_path: Path) -> None:
    found = survive("meta", tmp_path, writes=100, kills=2, seed=1)
    assert (found.doubled, found.lost) == (0, 0)
    assert found.kills
