import json
import subprocess
import sys

import pytest
import toyland

from features.settings import Settings
from pipelines.report import publish, reading, wording
from pipelines.status import NOTHING, as_table, status
from tests.unit.pipelines import home


@pytest.fixture(scope="module")
def settings(registry_home, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        toyland.add(monkeypatch)
        yield home.released(registry_home, tmp_path_factory.mktemp("place"))


def test_a_fresh_home_says_what_to_do_and_is_left_fresh(tmp_path):
    found = status(Settings(home=tmp_path / "home"))
    assert found["families"] == {}
    assert as_table(found) == NOTHING
    assert not (tmp_path / "home").exists()


def test_a_fresh_home_is_answered_without_anything_heavy(tmp_path):
    script = (
        "import sys; from features.settings import Settings; from pipelines.status import status; status(Settings());"
        "assert not {'mlflow', 'kfp', 'torch', 'feast', 'matplotlib'} & set(sys.modules)"
    )
    environment = {"ADLOOP_HOME": str(tmp_path / "home"), "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def test_a_family_is_told_in_a_row(settings):
    found = status(settings)
    assert list(found["families"]) == ["toy"]
    toy = found["families"]["toy"]
    assert (toy["trained"], toy["versions"], toy["champion"], toy["challenger"]) == ("2 rejected", 2, "1", None)
    assert toy["release"] == "rolled back at 50%"
    assert toy["drift"].endswith(" of 5 columns")
    assert toy["metric"].startswith("AUC 0.")
    assert json.loads(json.dumps(found)) == found
    assert "rolled" in as_table(found)


def test_the_report_reads_what_the_steps_left(settings):
    toy = reading.family("toy", settings)
    assert (toy.version, toy.status, toy.champion) == ("2", "rejected", "1")
    assert wording.standing(toy) == "2 rejected, 1 answers"
    assert "beats_naive" in toy.reason
    assert next(gate.gate for gate in toy.gates if not gate.passed) in toy.reason
    assert [figure.name for figure in toy.metrics] == ["auc", "brier"]
    assert toy.headline.low < toy.headline.value < toy.headline.high
    assert set(toy.headline.baselines) == {"recency"}
    assert toy.headline.champion is not None
    assert list(toy.held_out) == ["truth", "predicted", "naive"]
    assert len(toy.held_out) == 375
    assert toy.lineage["data hash"] == "5d41402abc4b2a76"
    assert toy.lineage["seed"] == "3"
    assert "scikit-learn" in toy.lineage["libraries"]


def test_the_report_reads_course_and_drift(settings):
    toy = reading.family("toy", settings)
    assert [step.percent for step in toy.release.steps] == [10, 50]
    assert toy.release.steps[1].canary["errors"] == 0.1
    assert toy.release.steps[1].champion["errors"] == 0.0
    assert toy.drift.rows == 300
    drifted = {column.feature: column.drifted for column in toy.drift.features}
    assert set(drifted) == {"recency_days", "spend", "age", "plan", "answer: probability"}
    assert drifted["spend"]
    assert not drifted["recency_days"]


def test_publishing_keeps_the_time_of_families_left_alone(settings):
    publish(settings, seconds=9.0, took={"toy": 7.5})
    publish(settings, seconds=3.0, took={"churn": 3.0})
    summary = json.loads((settings.home / "report" / "summary.json").read_text())
    assert summary["seconds"] == 3.0
    assert summary["families"]["toy"]["seconds"] == 7.5
    assert summary["families"]["churn"]["seconds"] == 3.0
    assert summary["families"]["toy"]["data_hash"] == "5d41402abc4b2a76"
    assert "roll back" in (settings.home / "report" / "index.html").read_text()


def test_what_a_running_serve_does_not_answer_is_told_a_line_each():
    serving = {
        "ready": False,
        "faults": {"ltv": "its process died: killed"},
        "left_out": {"churn": "manifest.json changed"},
        "decisions": {"ready": False, "reasons": {"disk": "no room"}, "left_out": {}},
    }
    family = dict.fromkeys(("trained", "metric", "champion", "challenger", "release", "drift"), "-") | {"versions": 1}
    told = as_table({"home": "here", "families": {"ltv": family}, "serving": serving})
    for line in (
        "adloop serve is not ready",
        "ltv: its process died: killed",
        "disk: no room",
        "churn (left out): manifest.json changed",
    ):
        assert line in told
