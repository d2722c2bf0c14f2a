import json
import subprocess
import sys

import business
import pytest
from click.testing import CliRunner

from components.__main__ import main

VERBS = ("ingest", "validate", "featurize", "train", "gate", "register", "release", "monitor")


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help_names_every_verb():
    taught = run("--help").output
    assert all(f"\n  {verb} " in taught for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb):
    taught = run(verb, "--help")
    assert taught.exit_code == 0 and "--home" in taught.output and "--params" in taught.output


def test_help_loads_no_library_that_a_step_may_need():
    code = "import sys, components.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"mlflow", "feast", "torch", "sklearn", "kfp", "kserve", "great_expectations", "shap"} & set(loaded)


def test_steps_find_what_the_ones_before_left(tmp_path):
    home, data = tmp_path / "home", business.write(tmp_path / "data", customers=30)
    staged = run("ingest", "--home", home, "--data", data)
    assert staged.exit_code == 0, staged.output
    published = run("validate", "--home", home)
    assert json.loads(published.output) | {"notes": []} == json.loads(staged.output)
    assert json.loads((home / "runs/data/validate.json").read_text())["rows"]["customers"] == 30


def test_an_error_is_one_line_that_says_what_lacks(tmp_path):
    failed = run("train", "--family", "churn", "--home", tmp_path)
    assert failed.exit_code == 1
    assert failed.output.startswith("Error: ") and "features.json" in failed.output and failed.output.count("\n") == 1


def test_a_family_that_is_not_there_is_refused():
    assert "'churn', 'ltv'" in run("train", "--family", "churns").output


def test_a_key_that_is_wrong_is_named(tmp_path):
    (tmp_path / "params.yaml").write_text("sead: 1\n")
    failed = run("train", "--family", "churn", "--params", tmp_path / "params.yaml", "--home", tmp_path)
    assert failed.exit_code == 1 and "sead" in failed.output
