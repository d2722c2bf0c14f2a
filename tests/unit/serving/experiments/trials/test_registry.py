import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from features.settings import Settings
from serving.experiments.trials.experiment import Arm, Experiment, Guard, LayerSegment
from serving.experiments.trials.registry import ExperimentRegistry
from tests.unit.serving.experiments.trials.made import START, experiment


@pytest.fixture
def registry(tmp_path):
    return ExperimentRegistry(Settings(home=tmp_path))


def planned(name="headline", layer=None, **changed):
    return experiment(name=name, layer=layer or name, state="planned", started_on=None, **changed)


def test_an_experiment_is_planned_started_and_stopped(registry):
    registry.plan(planned())
    assert registry.start("headline", START).state == "running"
    stopped = registry.stop("headline", START + timedelta(days=28), "ship B")
    assert registry.experiments() == [stopped]
    assert (stopped.started_on, stopped.outcome) == (START, "ship B")


def test_steps_out_of_order_are_refused(registry):
    registry.plan(planned())
    with pytest.raises(ValueError, match="'headline' is planned: only a running one can be stopped"):
        registry.stop("headline", START, "")
    registry.start("headline", START)
    with pytest.raises(ValueError, match="'headline' is running: only a planned one can be started"):
        registry.start("headline", START)
    with pytest.raises(ValueError, match=f"expected a day from {START}"):
        registry.stop("headline", START - timedelta(days=1), "")
    with pytest.raises(LookupError, match=r"no experiment 'button'.*there are: headline"):
        registry.experiment("button")


def test_a_name_is_taken_once_however_it_is_spelt(registry):
    registry.plan(planned())
    with pytest.raises(ValueError, match="'headline' is already planned"):
        registry.plan(planned("Headline"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "name"),
        ("lift", -0.1, "lift"),
        ("rate", 1.2, "rate"),
        ("rate", None, "either a rate, or a mean and its sd"),
        ("mean", 3.0, "either a rate, or a mean and its sd"),
        ("alpha", 0.0, "alpha"),
        ("days", 10, "days"),
        ("needed", 0, "needed"),
        ("conversion_days", -1, "conversion_days"),
        ("arms", (Arm(name="A", share=0.5),), "arms"),
        ("arms", (Arm(name="A", share=0.5), Arm(name="B", share=0.6)), "shares that sum to 1, got 1.1"),
        ("arms", (Arm(name="A", share=0.5), Arm(name="A", share=0.5)), "each name once"),
        ("guards", ({"metric": "complaints", "worse": "up"},), "worse"),
        ("segment", {"start": 0.5, "end": 0.2}, "start below end"),
        ("colour", "red", "colour"),
    ],
)
def test_bad_input_names_its_field(field, value, message):
    with pytest.raises(ValidationError, match=message):
        Experiment.model_validate({**planned().model_dump(), field: value})


def test_experiments_of_one_layer_get_segments_of_their_own(registry):
    first = registry.plan(planned("first", "page"), 0.5)
    second = registry.plan(planned("second", "page"), 0.3)
    assert (first.segment, second.segment) == (LayerSegment(start=0, end=0.5), LayerSegment(start=0.5, end=0.8))
    with pytest.raises(ValueError, match=r"layer 'page' has no 40% left beside first \(50%\), second \(30%\)"):
        registry.plan(planned("third", "page"), 0.4)
    registry.start("first", START)
    registry.stop("first", START, "keep A")
    assert registry.plan(planned("third", "page"), 0.4).segment == LayerSegment(start=0, end=0.4)
    assert registry.plan(planned("elsewhere")).segment == LayerSegment()


def test_running_experiments_that_overlap_are_named(registry):
    for name, layer in (("first", "page"), ("second", "page"), ("third", "mail"), ("waits", "shop")):
        registry.plan(planned(name, layer), 0.5)
    for name in ("first", "second", "third"):
        registry.start(name, START)
    assert [one.name for one in registry.overlapping(registry.experiment("first"))] == ["third"]
    assert [one.name for one in registry.overlapping(registry.experiment("third"))] == ["first", "second"]


@pytest.mark.parametrize("name", ["../../keys", "a/b", "..", "by chance", "A" * 200, "ä" * 200, "100%.json"])
def test_any_name_that_data_hold_has_a_file_of_its_own_inside_the_folder(registry, tmp_path, name):
    registry.plan(planned(name))
    registry.plan(planned("other"))
    assert registry.start(name, START) == registry.experiment(name)
    files = {path.parent for path in tmp_path.rglob("*.json")}
    assert files == {tmp_path / "experiments" / "plans"}
    assert sorted(one.name for one in registry.experiments()) == sorted([name, "other"])


def test_a_damaged_file_is_named_with_its_field(registry, tmp_path):
    registry.plan(planned())
    path = tmp_path / "experiments" / "plans" / "headline.json"
    path.write_text(path.read_text().replace('"days": 28', '"days": 27'))
    with pytest.raises(ValueError, match=r"(?s)headline\.json.*days"):
        registry.experiments()


KILLED = """
import os, sys
from pathlib import Path
from datetime import date
from features.settings import Settings
from serving.experiments.trials.registry import ExperimentRegistry
Path.replace = lambda *_: os.kill(os.getpid(), 9)  # between the write and the rename
ExperimentRegistry(Settings(home=Path(sys.argv[1]))).start("headline", date(2026, 3, 2))
"""


def test_a_kill_before_the_rename_leaves_the_plan_as_it_was(registry, tmp_path):
    before = registry.plan(planned(guards=(Guard(metric="complaints", worse="higher"),)))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path(__file__).parents[5], env=os.environ, check=False
    )
    assert killed.returncode == -9
    assert registry.experiments() == [before]
    assert registry.start("headline", date(2026, 3, 2)).state == "running"
