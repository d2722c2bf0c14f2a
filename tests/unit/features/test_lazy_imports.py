"""Modules that run once they are used."""

import sys
from pathlib import Path

import pytest

from features.lazy_imports import always_lazily, lazily


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two modules; each leaves a file when it runs."""
    folder = tmp_path / "counted_library"
    folder.mkdir()
    for name in ("heavy", "light"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w').close()\nvalue = {name!r}\n")
    (folder / "__init__.py").write_text("from counted_library import heavy, light\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("counted_library")]:
        del sys.modules[name]


def test_a_named_module_runs_when_it_is_used_and_all_others_at_once(library: Path) -> None:
    with lazily("counted_library.heavy"):
        import counted_library
    assert (library / "light").exists() and not (library / "heavy").exists()
    assert counted_library.heavy.value == "heavy" and (library / "heavy").exists()


def test_a_module_that_is_not_there_is_refused_as_ever(library: Path) -> None:
    with lazily("counted_library.nothing"), pytest.raises(ModuleNotFoundError, match=r"counted_library\.nothing"):
        import counted_library.nothing  # noqa: F401


def test_afterwards_every_module_runs_at_once(library: Path) -> None:
    with lazily("counted_library.heavy"):
        pass
    import counted_library  # noqa: F401

    assert (library / "heavy").exists()


def test_always_is_until_the_process_ends(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    always_lazily("counted_library.heavy")
    import counted_library

    assert not (library / "heavy").exists()
    assert counted_library.heavy.value == "heavy"
