"""What installed packages offer, read once."""

import sys
from importlib import metadata
from pathlib import Path

import pytest

import features  # noqa: F401 - by which it is read once
from features import entry_points


def test_it_is_read_once_and_again_where_other_packages_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[int]()
    distributions = metadata.distributions
    monkeypatch.setattr(metadata, "distributions", lambda: read.append(1) or distributions())
    entry_points._read.cache_clear()
    assert "adloop" in metadata.entry_points(group="console_scripts").names
    assert not metadata.entry_points(group="nobody", name="nothing")
    assert metadata.entry_points() and len(read) == 1

    (tmp_path / "new-1.dist-info").mkdir()
    (tmp_path / "new-1.dist-info" / "entry_points.txt").write_text("[nobody]\nnothing = new:thing\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    (found,) = metadata.entry_points(group="nobody")
    assert (found.name, found.value, len(read)) == ("nothing", "new:thing", 2)
    monkeypatch.undo()
    assert not metadata.entry_points(group="nobody")
