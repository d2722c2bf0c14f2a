"""A home is a folder of any name, and may be moved or copied: what was registered is there, and new things go there."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.settings import Settings
from models import own_store
from models.own_store import StoreBroken
from models.registry import Registry
from tests.integration import probe


@pytest.fixture(autouse=True)
def _probe() -> Iterator[None]:
    probe.install()
    yield
    probe.remove()


def begun(home: Path) -> Settings:
    """A home with version 1 of the probe, which nobody fetched yet."""
    settings = Settings(home=home)
    probe.register(probe.Probe(), settings, home.parent / "trained")
    return settings


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_home_that_was_moved_or_copied_works_where_it_is(registry_home: Path, tmp_path: Path, how: str) -> None:
    old = begun(shutil.copytree(registry_home, tmp_path / "old" / "home"))
    new = Settings(home=tmp_path / "new" / "home")
    if how == "moved":
        new.home.parent.mkdir()
        shutil.move(old.home, new.home)
    else:
        shutil.copytree(old.home, new.home)
        shutil.rmtree(old.home / "mlartifacts")
        (old.home / "mlartifacts").mkdir()
    registry = Registry(new)
    registry.promote("probe", "1")
    assert registry.download("probe", "1").is_relative_to(new.home)
    assert (registry.evaluation("probe", "1") / "card.md").exists()
    assert registry.address("probe", "1").startswith(new.artifacts_root)
    second = probe.register(probe.Probe(weight=2.0), new, tmp_path / "again")
    assert registry.download("probe", second).exists()
    left = list((old.home / "mlartifacts").rglob("*")) if how == "copied" else [old.home] if old.home.exists() else []
    assert left == []


def test_artifacts_elsewhere_stay_where_they_are(registry_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(registry_home, tmp_path / "home")
    settings = Settings(home=home, artifacts_uri=(tmp_path / "shared" / "mlartifacts").as_uri())
    probe.register(probe.Probe(), settings, tmp_path / "trained")
    moved = settings.model_copy(update={"home": tmp_path / "moved"})
    shutil.move(settings.home, moved.home)
    assert Registry(moved).address("probe", "1").startswith(settings.artifacts_root)
    assert Registry(moved).download("probe", "1").exists()


@pytest.mark.parametrize("name", ["st*r [a] ünï", "q?x", "per%20cent #;&="])
def test_a_home_may_be_called_anything(registry_home: Path, tmp_path: Path, name: str) -> None:
    if "%" not in name:  # which is what migrations of a database may trip over
        shutil.copytree(registry_home, tmp_path / name)
    settings = begun(tmp_path / name)
    registry = Registry(settings)
    registry.promote("probe", "1")
    assert registry.download("probe", "1").exists() and registry.evaluation("probe", "1").exists()
    with sqlite3.connect(settings.home / "mlflow.db") as db:
        assert list(db.execute("SELECT name FROM registered_models")) == [("probe",)]
    assert {path.name for path in tmp_path.iterdir()} == {name, "trained"}


@pytest.mark.parametrize("content", [b"junk " * 3000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_database_is_named_at_once(tmp_path: Path, content: bytes) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    (settings.home / "mlflow.db").write_bytes(content)
    with pytest.raises(StoreBroken, match=r"mlflow\.db cannot be opened: .*put a copy back") as broken:
        Registry(settings).champion("probe")
    assert "\n" not in str(broken.value)


def test_what_is_not_there_is_not_taken_for_it(registry_home: Path, tmp_path: Path) -> None:
    settings = begun(shutil.copytree(registry_home, tmp_path / "home"))
    gone = "file:///elsewhere/mlartifacts/nothing"
    assert own_store.here(gone, settings) == gone
    with sqlite3.connect(settings.home / "mlflow.db") as db:
        before = list(db.execute("SELECT artifact_location FROM experiments"))
    own_store.follow(settings)
    with sqlite3.connect(settings.home / "mlflow.db") as db:
        assert list(db.execute("SELECT artifact_location FROM experiments")) == before
