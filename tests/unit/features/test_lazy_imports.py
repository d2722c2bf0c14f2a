"""Modules that run once they are used, or not at all."""

import gc
import inspect
import sys
from pathlib import Path
from pkgutil import get_data

import pytest

from features.lazy_imports import (
    always_inside,
    always_lazily,
    lasting,
    lazily,
    packages_always_lazily,
    standing_in,
    without,
)


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


def test_a_module_does_not_run_because_inspect_looks_among_all_for_that_of_a_file(library: Path) -> None:
    with lazily("counted_library.heavy"):
        import counted_library
    assert inspect.getmodule(None, "/nowhere.py") is None and not inspect.isclass(sys.modules["counted_library.heavy"])
    assert not (library / "heavy").exists() and counted_library.heavy.value == "heavy"


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


def test_a_package_runs_only_once_a_name_of_it_is_read(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (library / "counted_library" / "__init__.py").write_text("from counted_library.heavy import value\n")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    packages_always_lazily("counted_library")
    import counted_library

    assert counted_library.light.value == "light" and not (library / "heavy").exists()
    assert not hasattr(counted_library, "__all__") and not (library / "heavy").exists()
    assert counted_library.value == "heavy" and (library / "heavy").exists()
    assert not hasattr(counted_library, "nothing")


def test_a_library_goes_without_what_it_only_takes_where_it_is_installed(library: Path) -> None:
    (library / "counted_library" / "__init__.py").write_text(
        "try:\n    from counted_heavy import value\nexcept ImportError:\n    value = 'none'\n"
    )
    (library / "counted_heavy.py").write_text("value = 'heavy'\n")
    with without("counted_heavy"):
        import counted_library
    import counted_heavy

    assert (counted_library.value, counted_heavy.value) == ("none", "heavy")


def test_whoever_imports_it_a_library_runs_inside_its_context(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (library / "counted_library" / "__init__.py").write_text(
        "try:\n    from counted_library import heavy\nexcept ImportError:\n    heavy = None\n"
    )
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    always_inside(lambda: without("counted_library.heavy"), "counted_library")
    import counted_library
    import counted_library.light

    assert counted_library.heavy is None and counted_library.light.value == "light"
    assert get_data("counted_library", "heavy.py").startswith(b"open(")
    import counted_library.heavy

    assert counted_library.heavy.value == "heavy"


def test_what_was_imported_before_stays(library: Path) -> None:
    import counted_library.heavy

    with without("counted_library.heavy"):
        import counted_library.heavy
        from counted_library import heavy

        assert heavy.value == counted_library.heavy.value == "heavy"


def test_a_library_finds_a_stand_in_and_others_find_the_module(library: Path) -> None:
    (library / "counted_library" / "__init__.py").write_text("from counted_library.heavy import value\n")
    with standing_in("counted_library.heavy", value="none"):
        import counted_library
    assert counted_library.value == "none" and not (library / "heavy").exists()
    from counted_library.heavy import value

    assert value == "heavy"


def test_nothing_stands_in_for_what_was_imported_before(library: Path) -> None:
    import counted_library.heavy

    with standing_in("counted_library.heavy", value="none"):
        from counted_library.heavy import value
    assert value == "heavy" and sys.modules["counted_library.heavy"] is counted_library.heavy


def test_among_what_lasts_no_garbage_is_looked_for() -> None:
    frozen = gc.get_freeze_count()
    with lasting():
        assert not gc.isenabled()
        kept = [[one] for one in range(1000)]
    assert gc.isenabled() and gc.get_freeze_count() >= frozen + len(kept)
