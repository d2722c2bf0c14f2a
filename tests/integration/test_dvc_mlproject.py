"""`dvc repro` and `mlflow run` in a copy of the repository, every step real, on a small business."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import business
import pytest
import small
import yaml

from models.catalog import NAMES

REPOSITORY = Path(__file__).parents[2]
COPIED = (
    "components",
    "features",
    "models",
    "pipelines",
    "serving",
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvcignore",
    "dvc.yaml",
    "MLproject",
    "requirements.lock",
)
COMMIT = ("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm")
STAGES = ("fingerprint", "ingest", "validate", "featurize@ltv", "train@ltv")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The repository as a new clone has it, its parameters cut to the size of the business."""
    folder = tmp_path_factory.mktemp("clone")
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, target)
        else:
            shutil.copy(REPOSITORY / name, target)
    small.write(folder / "params.yaml", source=[str(business.write(folder / "tables", customers=200))])
    (folder / ".gitignore").write_text(".adloop/\ntables/\n__pycache__/\n")
    command(folder, "git", "init", "-q")
    command(folder, "git", "add", "-A")
    command(folder, "git", *COMMIT, "as cloned")
    return folder


def write(folder: Path, params: dict) -> None:
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


def command(folder: Path, *arguments: str) -> None:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@contextmanager
def inside(folder: Path):
    """The folder and the environment of somebody who works in this clone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ADLOOP_")]:
            patch.delenv(name)
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        patch.setenv("PYTHONPATH", str(folder))
        patch.chdir(folder)
        yield


@pytest.fixture
def dvc(caplog):
    """`dvc(folder, …)` is that command of DVC, by its own entry point: a process would import for longer than it works.
    Returns the stages that it ran, or would have run.
    """
    from dvc.cli import main

    def run(folder: Path, *arguments: str) -> list[str]:
        caplog.clear()
        with inside(folder):
            assert main([*arguments]) == 0, caplog.text
        return [said.split("'")[1] for said in caplog.messages if said.startswith("Running stage")]

    return run


def repository(folder: Path):
    """`folder` as DVC's own library opens it."""
    from dvc.repo import Repo

    return Repo(str(folder))


def test_dvc_runs_the_steps_and_then_only_what_changed(clone, dvc):
    assert dvc(clone, "repro", "train@ltv") == list(STAGES)
    assert (clone / ".adloop/runs/ltv/bundle/manifest.json").exists()
    assert json.loads((clone / ".adloop/runs/data/ingest.json").read_text())["rows"]["customers"] == 200
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params |= {"monitoring": params["monitoring"] | {"min_rows": 9}}
    write(clone, params)
    assert dvc(clone, "repro", "--dry", "train@ltv") == ["fingerprint"], "what the monitors are told trains nothing"

    write(clone, params | {"ltv": params["ltv"] | {"trees": 31}})
    assert dvc(clone, "repro", "train@ltv") == ["fingerprint", "featurize@ltv", "train@ltv"]
    assert json.loads((clone / ".adloop/runs/ltv/bundle/manifest.json").read_text())["params"]["trees"] == 31


def test_any_change_of_code_or_libraries_makes_every_later_step_stale(clone, monkeypatch):
    monkeypatch.chdir(clone)  # DVC names stages as seen from where one is
    here = repository(clone)
    for changed in ("features/lake.py", "models/bundle.py", "serving/monitoring/detector.py", "requirements.lock"):
        file = clone / changed
        before = file.read_bytes()
        file.write_bytes(before + b"# another line\n")
        stale = set(here.status("train@ltv", with_deps=True))
        file.write_bytes(before)
        assert stale >= set(STAGES), changed


def test_another_clone_gets_data_and_models_of_a_commit_from_the_remote(clone, dvc, s3, tmp_path):
    def remote(folder: Path, verb: str) -> None:
        with repository(folder) as here, here.config.edit("local") as config:
            config["core"] = {"remote": "storage"}
            config["remote"] = {"storage": {"url": f"s3://{s3.bucket}/dvc", "endpointurl": s3.endpoint}}
        dvc(folder, verb, "--with-deps", "train@ltv")

    if not (clone / "dvc.lock").exists():  # this test runs alone
        dvc(clone, "repro", "train@ltv")
    command(clone, "git", "add", "-A")
    command(clone, "git", *COMMIT, "trained")
    command(clone, "git", "clone", "-q", ".", str(tmp_path))
    assert dvc(tmp_path, "repro", "--dry", "--allow-missing", "train@ltv") == ["fingerprint"]
    remote(clone, "push")
    remote(tmp_path, "pull")
    bundle = ".adloop/runs/ltv/bundle/manifest.json"
    assert (tmp_path / bundle).read_bytes() == (clone / bundle).read_bytes()
    assert dvc(tmp_path, "repro", "--dry", "train@ltv") == ["fingerprint"]


def test_a_new_clone_says_what_it_would_run(clone, dvc, tmp_path):
    """With --force: DVC cannot look up in its cache what depends on files that are not there yet."""
    command(clone, "git", "clone", "-q", ".", str(tmp_path / "new"))
    assert len(dvc(tmp_path / "new", "repro", "--dry", "--force")) == len(STAGES) - 2 + 6 * len(NAMES)


def test_every_family_and_every_step_is_a_stage(clone, monkeypatch):
    monkeypatch.chdir(clone)
    stages = {stage.addressing for stage in repository(clone).stage.collect()}
    own = ("featurize", "train", "gate", "register", "release", "monitor")
    assert stages == {"fingerprint", "ingest", "validate"} | {f"{s}@{f}" for s in own for f in NAMES}


def test_mlflow_trains_with_the_steps_before_it(clone, registry_home):
    """By the function that is `mlflow run`."""
    from mlflow import projects

    shutil.rmtree(clone / ".adloop", ignore_errors=True)
    (clone / ".adloop").mkdir()
    shutil.copy(registry_home / "mlflow.db", clone / ".adloop" / "mlflow-runs.db")
    with inside(clone), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{clone}/.adloop/mlflow-runs.db")
        projects.run(".", "train", parameters={"family": "ltv"}, env_manager="local")
    left = {path.name for path in (clone / ".adloop/runs").rglob("*.json") if path.parent.name in ("data", "ltv")}
    assert left == {"ingest.json", "validate.json", "featurize.json", "train.json"}
    assert (clone / ".adloop/runs/ltv/bundle/files.json").exists()


def test_the_entry_points_are_train_and_run():
    project = yaml.safe_load((REPOSITORY / "MLproject").read_text())
    assert set(project["entry_points"]) == {"train", "run"}
    assert project["entry_points"]["run"]["command"].startswith("adloop run --family {family}")
