"""`dvc repro` and `mlflow run` in a copy of the repository, every step real, on a small business."""

import json
import os
import shutil
import subprocess
import sys
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


def command(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADLOOP_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    environment |= {"PYTHONPATH": str(folder), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/.adloop/mlflow-runs.db"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def repository(folder: Path):
    """`folder` as DVC's own library opens it, for what needs no process of its own."""
    from dvc.repo import Repo

    return Repo(str(folder))


def ran(folder: Path, target: str) -> set[str]:
    """The stages that `dvc repro` had to run for `target`."""
    said = command(folder, "dvc", "repro", target)
    return {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}


def test_dvc_runs_the_steps_and_then_only_what_changed(clone):
    assert ran(clone, "train@ltv") == set(STAGES)
    assert (clone / ".adloop/runs/ltv/bundle/manifest.json").exists()
    assert json.loads((clone / ".adloop/runs/data/ingest.json").read_text())["rows"]["customers"] == 200
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params |= {"monitoring": params["monitoring"] | {"min_rows": 9}}
    write(clone, params)
    assert ran(clone, "train@ltv") == {"fingerprint"}, "what the monitors are told does not train anything"

    write(clone, params | {"ltv": params["ltv"] | {"trees": 31}})
    assert ran(clone, "train@ltv") == {"fingerprint", "featurize@ltv", "train@ltv"}
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


def test_another_clone_gets_data_and_models_of_a_commit_from_the_remote(clone, s3, tmp_path):
    def remote(folder: Path, verb: str) -> None:
        with repository(folder) as here, here.config.edit("local") as config:
            config["core"] = {"remote": "storage"}
            config["remote"] = {"storage": {"url": f"s3://{s3.bucket}/dvc", "endpointurl": s3.endpoint}}
        command(folder, "dvc", verb, "--with-deps", "train@ltv")

    command(clone, "dvc", "repro", "train@ltv")
    command(clone, "git", "add", "-A")
    command(clone, "git", *COMMIT, "trained")
    command(clone, "git", "clone", "-q", ".", str(tmp_path))
    said = command(tmp_path, "dvc", "repro", "--dry", "--allow-missing", "train@ltv")
    assert [line for line in said.splitlines() if line.startswith("Running")] == ["Running stage 'fingerprint':"]
    remote(clone, "push")
    remote(tmp_path, "pull")
    bundle = ".adloop/runs/ltv/bundle/manifest.json"
    assert (tmp_path / bundle).read_bytes() == (clone / bundle).read_bytes()
    said = command(tmp_path, "dvc", "repro", "--dry", "train@ltv")
    assert [line for line in said.splitlines() if line.startswith("Running")] == ["Running stage 'fingerprint':"]


def test_a_new_clone_says_what_it_would_run(clone, tmp_path):
    """With --force: DVC cannot look up in its cache what depends on files that are not there yet."""
    command(clone, "git", "clone", "-q", ".", str(tmp_path / "new"))
    said = command(tmp_path / "new", "dvc", "repro", "--dry", "--force")
    assert said.count("Running stage") == len(STAGES) - 2 + 6 * len(NAMES)


def test_every_family_and_every_step_is_a_stage(clone, monkeypatch):
    monkeypatch.chdir(clone)
    stages = {stage.addressing for stage in repository(clone).stage.collect()}
    own = ("featurize", "train", "gate", "register", "release", "monitor")
    assert stages == {"fingerprint", "ingest", "validate"} | {f"{s}@{f}" for s in own for f in NAMES}


def test_mlflow_trains_with_the_steps_before_it(clone, registry_home):
    shutil.rmtree(clone / ".adloop", ignore_errors=True)
    (clone / ".adloop").mkdir()
    shutil.copy(registry_home / "mlflow.db", clone / ".adloop" / "mlflow-runs.db")
    command(clone, "mlflow", "run", ".", "-e", "train", "-P", "family=ltv", "--env-manager", "local")
    left = {path.name for path in (clone / ".adloop/runs").rglob("*.json") if path.parent.name in ("data", "ltv")}
    assert left == {"ingest.json", "validate.json", "featurize.json", "train.json"}
    assert (clone / ".adloop/runs/ltv/bundle/files.json").exists()


def test_the_entry_points_are_train_and_run():
    project = yaml.safe_load((REPOSITORY / "MLproject").read_text())
    assert set(project["entry_points"]) == {"train", "run"}
    assert project["entry_points"]["run"]["command"].startswith("adloop run --family {family}")
