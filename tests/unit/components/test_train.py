import json
import threading
from pathlib import Path

import pandas as pd
import pytest
import toyland

from components.train import step
from components.train.step import train
from features.movement import GROWS
from models import bundle, catalog
from models.bundle import open_bundle

STEPS = toyland.SECTION["steps"]


@pytest.fixture
def places(toy, tmp_path, monkeypatch):
    """Where to train, from committed code."""
    monkeypatch.setattr(step, "_commit", lambda: "0123abc")
    return toyland.write(tmp_path / "features"), tmp_path / "checkpoint", tmp_path / "bundle"


def fit(places, **section):
    features, checkpoint, out = places
    return train(features, "toy", {**toyland.SECTION, **section}, checkpoint, out)


def steps_taken(monkeypatch):
    """Counts the optimiser's steps by the checkpoints it keeps."""
    taken, replace = [], Path.replace

    def counted(path, target):
        taken.extend([path] * (Path(target).name == "weights.json"))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", counted)
    return taken


def test_a_bundle_says_what_it_was_made_of(places):
    done = fit(places)
    opened = open_bundle(places[2], None)
    assert done.digest == opened.digest and done.fitted and not places[1].exists()
    manifest = opened.manifest
    assert (manifest.family, manifest.feature_service, manifest.data_hash) == ("toy", "toy_v1", "made")
    assert list(manifest.columns) == ["recency_days", "spend", "age", "plan"]
    assert manifest.seed == 3 and manifest.label == ("churned",) and manifest.git_commit == "0123abc"
    reference = opened.reference()
    assert list(reference) == [*manifest.columns, "probability"]
    pd.testing.assert_frame_equal(opened.model.predict(reference), reference[["probability"]])


def test_a_finished_bundle_of_the_same_inputs_is_kept(places, monkeypatch):
    first = fit(places)
    taken = steps_taken(monkeypatch)
    again = fit(places)
    assert again.digest == first.digest and not again.fitted and not taken
    assert fit(places, penalty=20.0).fitted, "other parameters are other inputs"


def test_a_bundle_of_uncommitted_code_is_never_taken_for_the_same(places, monkeypatch):
    monkeypatch.setattr(step, "_commit", lambda: "0123abc-dirty")
    assert fit(places).fitted and fit(places).fitted


def test_killed_and_run_again_it_resumes(places, tmp_path, monkeypatch):
    whole = fit((places[0], tmp_path / "other", tmp_path / "whole"))
    family = __import__("importlib").import_module("models.toy")

    def cut_off():
        monkeypatch.setattr(family.np.linalg, "solve", toyland.kill_after(family.np.linalg.solve, calls=5))
        fit(places)

    toyland.killed(cut_off)
    assert json.loads((places[1] / "weights.json").read_text())[0] == 4
    assert not places[2].exists()
    taken = steps_taken(monkeypatch)
    assert fit(places).digest == whole.digest
    assert len(taken) == STEPS - 4


def test_a_checkpoint_of_other_inputs_is_thrown_away(places, monkeypatch):
    family = catalog.family("toy")

    def cut_off():
        monkeypatch.setattr(bundle, "write", toyland.kill_after(lambda *parts: None))
        fit(places)

    toyland.killed(cut_off)
    taken = steps_taken(monkeypatch)
    fit(places, penalty=20.0)
    assert len(taken) == STEPS and family.name == "toy"


def test_two_at_once_end_with_one_whole_bundle(places):
    done = []
    threads = [threading.Thread(target=lambda: done.append(fit(places))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.fitted for run in done) == [False, True]
    assert {run.digest for run in done} == {bundle.verify(places[2], None)}


def test_a_frame_without_examples_says_so(places):
    made = toyland.frame()
    toyland.write(places[0], made[made["split"] != "valid"])
    with pytest.raises(ValueError, match="no valid examples"):
        fit(places)


@pytest.mark.parametrize(("limit", "most"), [("REFERENCE_S", 0.0), ("REFERENCE_BYTES", 1)])
def test_a_reference_that_would_cost_too_much_has_fewer_rows(places, monkeypatch, limit, most):
    monkeypatch.setattr(step, limit, most)
    fit(places)
    assert len(open_bundle(places[2], None).reference()) == step.FIRST_ROWS


def test_answers_must_not_be_called_like_features(places):
    toyland.write(places[0], toyland.frame().assign(probability=0.5))
    with pytest.raises(ValueError, match="share names: probability"):
        fit(places)


def test_a_bundle_says_how_its_columns_move(places):
    """Those that are declared to, and how far the others went in the months before."""
    features, _, out = places
    frame = pd.read_parquet(features / "frame.parquet")
    earlier = frame["split"] == "train"
    frame.loc[earlier, "event_timestamp"] -= pd.Timedelta(days=60)
    frame.loc[earlier, "recency_days"] *= 2
    frame.to_parquet(features / "frame.parquet", index=False)
    about = json.loads((features / "features.json").read_text())
    (features / "features.json").write_text(json.dumps({**about, "moving": {"spend": GROWS.model_dump()}}))
    fit(places)
    assert open_bundle(out, None).manifest.moving == {"spend": GROWS}
    usual = bundle.usual(out)
    assert usual["recency_days"] > 0.2 and usual["probability"] > 0.1
    assert usual["plan"] < 0.05 and usual["spend"] == 0  # of what grows only what is impossible would count
