"""A toy family for every test that needs a family and not a slow one; what is made once a run; and the workers."""

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.remote import Producer

sys.path.insert(0, str(Path(__file__).parent / "toyland"))

from features.lazy_imports import lasting
from features.privacy import stay_private
from tests import workers


def pytest_configure(config: pytest.Config) -> None:
    """No telemetry, as in every program; and, where tests run, Feast and MLflow as they are imported there, before a
    test does so itself, which takes longer."""
    stay_private()
    if "PYTEST_XDIST_WORKER" in os.environ:
        worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
        config.pluginmanager.register(workers.FromElsewhere(worker / int(os.environ["PYTEST_XDIST_WORKER_COUNT"])))
    elif config.getoption("numprocesses", None):
        return
    from features import lean_feast  # noqa: F401
    from models import lean_mlflow  # noqa: F401


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: look for no garbage meanwhile, nor among it later."""
    with lasting():
        return (yield)


def pytest_xdist_auto_num_workers() -> int:
    return workers.WORKERS


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> workers.SomeWait | None:
    return workers.SomeWait(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """`made_once(name, make)` is a folder that `make` fills: once a run, whichever worker comes first. To be copied."""
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place

    def once(name: str, make: Callable[[Path], object]) -> Path:
        with FileLock(place / f"{name}.lock"):
            if not (done := place / f"{name}.made").exists():
                make(place / name)
                done.touch()
        return place / name

    return once


@pytest.fixture(scope="session")
def registry_home(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A home whose registry is empty: MLflow takes over a second to lay out a database."""

    def lay_out(home: Path) -> None:
        from mlflow import MlflowClient

        from features.settings import Settings

        home.mkdir()
        MlflowClient(Settings(home=home).tracking_uri).search_registered_models()

    return made_once("registry_home", lay_out)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the toy family, in the catalog for the time of a test."""
    import toyland

    toyland.add(monkeypatch)
    return "toy"
