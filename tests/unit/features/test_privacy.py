"""What adloop writes is for its owner's eyes, whatever umask it was started with and however a home was made before."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.privacy import keep_private


@pytest.fixture(autouse=True)
def permissive() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_written_from_then_on_is_the_owners(tmp_path: Path) -> None:
    home = tmp_path / "home"
    keep_private(home)
    (home / "decisions").mkdir(parents=True)
    (home / "decisions" / "state.db").write_text("")
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (home, home / "decisions", home / "decisions" / "state.db")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_home_that_was_open_is_shut(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    (home / "state.db").write_text("")
    keep_private(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_of_others_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)

    def denied(*_: object) -> None:
        raise PermissionError("not the owner")

    monkeypatch.setattr(Path, "chmod", denied)
    keep_private(tmp_path)
    assert f"{tmp_path}: every user of this machine can read it" in caplog.text
