"""Every program of adloop turns the telemetry of its libraries off before it imports any of them."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import small

from features.privacy import ASKED

ROOT = Path(__file__).parents[2]
#: What each is started with, to do something small that ends by itself.
PROGRAMS = {
    "components.__main__": ["fingerprint", "--params", "PARAMS"],
    "pipelines.cli": ["status"],
    "pipelines.local_process": [],
    "serving.decisions.__main__": ["--help"],
    "serving.inference.__main__": ["--help"],
    "serving.integrations.webhooks.__main__": ["--help"],
    "serving.texts.__main__": ["--help"],
    "tests.benchmarks.__main__": ["--only", "nothing"],
}
#: Executes what it is given, in the environment of its parent.
PASSES_ON = "serving.rollout.die_with_parent"
#: Libraries that read such variables when they are imported, or tell of themselves when they are used.
WATCHED = ("dvc", "feast", "great_expectations", "huggingface_hub", "mlflow", "onnxruntime", "wandb")
WATCH = f"""
import atexit, json, os, runpy, sys
wanted, early = json.loads(sys.argv[1]), []
unset = lambda: [name for name, value in wanted.items() if os.environ.get(name) != value]
class Watch:
    def find_spec(self, name, *_):
        if name in {WATCHED} and unset():
            early.append(name)
sys.meta_path.insert(0, Watch())
atexit.register(lambda: print(json.dumps([early, unset()]), file=sys.stderr))
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def test_every_program_is_here() -> None:
    folders = [ROOT / name for name in ("pipelines", "components", "serving", "models", "features")]
    started = [path for folder in folders for path in folder.rglob("*.py") if "__name__ ==" in path.read_text()]
    found = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in started}
    assert found | {"tests.benchmarks.__main__"} == PROGRAMS.keys() | {PASSES_ON}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {target.partition(":")[0] for target in scripts.values()} <= PROGRAMS.keys()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_turns_telemetry_off_first(program: str, tmp_path: Path) -> None:
    params = str(small.write(tmp_path / "params.yaml", source=["auction_simulator"]))
    given = [params if one == "PARAMS" else one for one in PROGRAMS[program]]
    quiet = {name: value for name, value in os.environ.items() if name not in ASKED}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, json.dumps(ASKED), program, *given],
        env=quiet | {"ADLOOP_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [[], []], done.stderr


def test_these_tests_do_too() -> None:
    assert {name: os.environ.get(name) for name in ASKED} == ASKED
