"""Learning where things are: messy boxes are refused, a killed fit goes on, and what is learnt is found again."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
from PIL import Image

from models.image.box import Box, from_json, to_json
from models.image.detector import SeenCells
from models.image.picture import opened
from models.inputs import InvalidRows
from models.vision.baselines import most_frequent
from models.vision.boxes import training
from models.vision.boxes.drawn import inside, told_of, variants
from models.vision.boxes.fit import fit_boxes
from models.vision.boxes.head import COUNT, WIDTH, BoxHead, likeliest
from models.vision.boxes.precision import ap50
from models.vision.fit import fit
from models.vision.metrics import skill
from models.vision.model import PictureModel
from models.vision.params import VisionParams

PARAMS = VisionParams(seed=1, variants=2, box_epochs=30)
PHOTOS = Path(skimage.__file__).parent / "data"
CAT = Image.open(PHOTOS / "chelsea.png").convert("RGB")
MOTORCYCLE = Image.open(PHOTOS / "motorcycle_left.png").convert("RGB").crop((90, 60, 700, 460))


def scene(seed: int) -> tuple[Image.Image, list[Box]]:
    """A cat, a motorcycle or both, somewhere before a wall of brick."""
    rng = np.random.default_rng(seed)
    wall = Image.open(PHOTOS / "brick.png").convert("RGB").resize((400, 300))
    boxes = []
    for place, (thing, label) in enumerate([(CAT, "pet"), (MOTORCYCLE, "bike")]):
        if seed % 3 in (place, 2):
            wide = int(rng.integers(120, 180))
            part = thing.resize((wide, round(wide * thing.height / thing.width)))
            left, top = (
                int(rng.integers(200 * place, 200 * place + 200 - wide + 1)),
                int(rng.integers(0, 300 - part.height)),
            )
            wall.paste(part, (left, top))
            boxes.append(Box(label, 1, left, top, left + wide, top + part.height))
    return wall, boxes


@pytest.fixture(scope="module")
def scenes(pictures_home: Path) -> pd.DataFrame:
    folder, rows = pictures_home / "scenes", []
    folder.mkdir()
    for seed in range(14):
        image, boxes = scene(seed)
        image.save(folder / f"{seed}.jpg", quality=90)
        rows.append({"uri": (folder / f"{seed}.jpg").as_uri(), "boxes": to_json(boxes)})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def fitted(scenes: pd.DataFrame, pictures_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[BoxHead, Path]:
    folder = tmp_path_factory.mktemp("fit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADLOOP_HOME", str(pictures_home))
        head = fit_boxes(scenes[:9], scenes[:0], PARAMS, folder)
    assert head is not None
    return head, folder


def test_what_is_learnt_is_found_under_its_name(
    fitted: tuple[BoxHead, Path], scenes: pd.DataFrame, tmp_path: Path
) -> None:
    head, _ = fitted
    assert head.labels == ("bike", "pet")
    pictures = [opened(Path(uri.removeprefix("file://")).read_bytes()) for uri in scenes["uri"][9:]]
    found = [head.boxes(picture) for picture in pictures]
    answers = pd.DataFrame({"boxes": map(to_json, found)}, index=scenes.index[9:])
    assert ap50().measure(scenes[9:], answers) > 0.9
    assert all(boxes == sorted(boxes, key=lambda box: -box.score) for boxes in found)
    head.save(tmp_path)
    assert [BoxHead.load(tmp_path).boxes(picture) for picture in pictures] == found


def test_a_killed_fit_goes_on_to_the_same_weights(
    fitted: tuple[BoxHead, Path], scenes: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, folder = fitted
    (tmp_path / "boxes").mkdir()
    for name in ("cells.f16", "cells.json"):  # what was read of the pictures is tested with maps
        (tmp_path / "boxes" / name).write_bytes((folder / "boxes" / name).read_bytes())
    keep, kept = training.BoxTraining.keep, []

    def stop(run, file, epochs):
        keep(run, file, epochs)
        kept.append(epochs)
        if epochs == 7 and len(kept) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.BoxTraining, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        fit_boxes(scenes[:9], scenes[:0], PARAMS, tmp_path)
    resumed = fit_boxes(scenes[:9], scenes[:0], PARAMS, tmp_path)
    assert kept == list(range(1, 31))
    assert resumed is not None
    np.testing.assert_array_equal(resumed.weight, head.weight)
    np.testing.assert_array_equal(resumed.bias, head.bias)


def test_a_model_of_boxes_alone_finds_them(fitted: tuple[BoxHead, Path], scenes: pd.DataFrame, tmp_path: Path) -> None:
    head, folder = fitted
    told = scenes.assign(label=None, rating=np.nan)
    model = fit(told[:9], told[:0], PARAMS, folder)
    assert model.learnt == "a frozen backbone; no labels were given; no ratings were given; boxes were learnt"
    model.save(tmp_path)
    rows = pd.concat([told[9:], told[:1].assign(uri=None)])
    answers = PictureModel.load(tmp_path).predict(rows)
    picture = opened(Path(told["uri"][9].removeprefix("file://")).read_bytes())
    assert from_json(answers["boxes"].iloc[0]) == head.boxes(picture)
    assert answers["boxes"].iloc[-1] == "[]" and (answers["label"] == "").all()
    naive = most_frequent(told[:9], told[:0], PARAMS, tmp_path).predict(rows)
    assert {box.label for boxes in naive["boxes"] for box in from_json(boxes)} == {"bike"}
    assert skill().measure(rows, naive) < skill().measure(rows, answers)


def test_no_box_is_empty_however_far_edges_are_moved() -> None:
    file = io.BytesIO()
    CAT.resize((600, 60)).save(file, "PNG")
    rng = np.random.default_rng(0)
    head = BoxHead(("pet",), rng.normal(0, 0.03, (5, WIDTH)).astype(np.float32), np.zeros(5, np.float32))
    found = head.boxes(opened(file.getvalue()))
    assert found and from_json(to_json(found)) == found


def test_without_boxes_nothing_is_learnt(scenes: pd.DataFrame, tmp_path: Path) -> None:
    assert fit_boxes(scenes.assign(boxes=None), scenes[:0], PARAMS, tmp_path) is None
    assert fit_boxes(scenes.assign(boxes="[]"), scenes[:0], PARAMS, tmp_path) is None


@pytest.mark.parametrize(
    ("change", "field", "got"),
    [
        ({"left": 300, "right": 200}, "boxes[0].right", "200.0 in row 5"),
        ({"xmin": 3}, "boxes[0].xmin", "'xmin' in row 5"),
        ({"right": 900}, "boxes[0].right", "900.0 in row 5"),
        ({"top": -40}, "boxes[0].top", "-40.0 in row 5"),
        ({"label": None}, "boxes[0].label", "None in row 5"),
    ],
)
def test_messy_boxes_are_refused_by_row_and_field(
    change: dict[str, object], field: str, got: str, scenes: pd.DataFrame, tmp_path: Path
) -> None:
    right = {"label": "pet", "left": 0, "top": 0, "right": 100, "bottom": 100}
    row = scenes[:1].assign(boxes=json.dumps([right | change])).set_axis([5])
    with pytest.raises(InvalidRows) as fault:
        fit_boxes(row, row[:0], PARAMS, tmp_path)
    assert (fault.value.field, fault.value.got) == (field, got)


def test_a_table_without_boxes_is_told() -> None:
    with pytest.raises(InvalidRows, match="boxes"):
        told_of(pd.DataFrame({"uri": ["file:///a.png"]}))


def test_boxes_that_are_rounded_to_beyond_the_edge_are_clipped() -> None:
    file = io.BytesIO()
    CAT.save(file, "PNG")
    box = Box("pet", 1, -1, -1, CAT.width + 2, CAT.height + 1)
    assert inside([box], opened(file.getvalue()), 0) == [Box("pet", 1, 0, 0, CAT.width, CAT.height)]


def test_variants_show_the_boxes_where_they_are() -> None:
    pixels = np.zeros((80, 120, 3), np.uint8)
    pixels[20:50, 30:70] = 255
    box, seen = Box("square", 1, 30, 20, 70, 50), 0
    for shown, boxes in variants(pixels, [box], 30, np.random.default_rng(0)):
        white = np.argwhere((shown == 255).all(axis=2))
        for told in boxes:
            (top, left), (bottom, right) = white.min(axis=0), white.max(axis=0) + 1
            assert told.place == (left, top, right, bottom)
            seen += 1
    assert seen > 25


def test_the_likeliest_cells_are_looked_at() -> None:
    scores = np.zeros((3549, 80), np.float32)
    scores[[7, 3000], [4, 9]] = 0.5, 0.9
    likely = likeliest(SeenCells(np.zeros((3549, 4)), scores, np.zeros((3549, 128), np.float32)))
    assert likely.scores.max(axis=1)[:3] == pytest.approx([0.9, 0.5, 0])
    assert len(likely.at) == COUNT
