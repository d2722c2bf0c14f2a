"""Training goes on from what a lost pod had copied to S3: a real S3 server, a real fit, a process killed for real."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import small

from components import progress
from components.featurize.step import featurize
from features.settings import Settings

ROOT = Path(__file__).parents[2]
#: Trains; if asked to it hangs after the first half, as a pod does whose node is about to go away.
POD = """
import importlib, sys, time
from pathlib import Path
import small
from components import progress
from components.train import step
from features.settings import Settings

fit = importlib.import_module("models.ltv.fit")
features, out, hangs = Path(sys.argv[1]), Path(sys.argv[2]), len(sys.argv) > 3
tuned, tune, settings, section, progress.EVERY_S = [], fit.tune, Settings(), small.section("ltv"), 0.1
fit.tune = lambda *given: tuned.append(1) or tune(*given)
fit.grow = (lambda *_: time.sleep(600)) if hangs else fit.grow
with progress.checkpoint(settings, "ltv", "s3://runs/1/features", section) as checkpoint:
    step.train(features, "ltv", section, checkpoint, out)
print(len(tuned))
"""


@pytest.fixture
def settings(s3, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    return Settings(
        home=tmp_path / "home", s3_endpoint_url=s3.endpoint, checkpoints_uri=f"s3://{s3.bucket}/{request.node.name}"
    )


@pytest.fixture
def copied(s3, request: pytest.FixtureRequest) -> Callable[[], set[str]]:
    """The names of the files that are copied so far."""

    def names() -> set[str]:
        found = s3.client.list_objects_v2(Bucket=s3.bucket, Prefix=f"{request.node.name}/").get("Contents", [])
        return {one["Key"].split("/", 3)[3] for one in found}

    return names


def pod(settings: Settings, home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"ADLOOP_HOME": str(home), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/tests/toyland"}
    environment |= {
        "ADLOOP_CHECKPOINTS_URI": settings.checkpoints_uri,
        "ADLOOP_S3_ENDPOINT_URL": settings.s3_endpoint_url,
    }
    return subprocess.Popen([sys.executable, "-c", POD, *arguments], env=environment, stdout=subprocess.PIPE, text=True)


def test_another_pod_goes_on_where_a_killed_one_was(
    settings: Settings, copied: Callable[[], set[str]], tables: Path, tmp_path: Path
) -> None:
    featurize(tables, "ltv", small.section("ltv"), None, settings, tmp_path / "features", online=False)
    first = pod(settings, tmp_path / "first", str(tmp_path / "features"), str(tmp_path / "lost"), "hangs")
    until(lambda: len([name for name in copied() if "tuning" in name]) == 3 and "inputs.json" in copied())
    first.kill()
    first.wait()

    second = pod(settings, tmp_path / "second", str(tmp_path / "features"), str(tmp_path / "bundle"))
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 0 and int(said) == 0, "the first half was learnt again"
    assert (tmp_path / "bundle" / "files.json").exists()
    assert copied() == set()


def test_the_copy_follows_the_folder(
    settings: Settings, copied: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.05)
    with pytest.raises(RuntimeError, match="lost"), progress.checkpoint(settings, "toy", "", {}) as folder:
        (folder / "members").mkdir(parents=True)
        (folder / "inputs.json").write_text("of the code before")
        (folder / "members" / "1").write_text("a model")
        until(lambda: copied() == {"inputs.json", "members/1"})
        # What a fit does that finds a checkpoint of other inputs.
        (folder / "members" / "1").unlink()
        (folder / "inputs.json").write_text("of this code")
        until(lambda: copied() == {"inputs.json"})
        raise RuntimeError("lost")
    elsewhere = settings.model_copy(update={"home": settings.home.with_name("another")})
    with progress.checkpoint(elsewhere, "toy", "", {}) as folder:
        assert (folder / "inputs.json").read_text() == "of this code"
        assert not (folder / "members").exists()
    with progress.checkpoint(settings, "toy", "", {"other": "parameters"}) as folder:
        assert not folder.exists()


def test_training_goes_on_where_the_copy_cannot(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.05)
    with progress.checkpoint(settings, "toy", "", {}) as folder:
        monkeypatch.setattr(progress.CheckpointCopy, "update", denied)
        folder.mkdir(parents=True)
        until(lambda: "could not be copied" in caplog.text)


def denied(_: object) -> None:
    raise PermissionError("the key was revoked")


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it did not happen in a minute"
        time.sleep(0.05)
