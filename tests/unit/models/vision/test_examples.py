"""Examples: equal files once, near copies in one split, and what cannot be read left out or refused."""

from pathlib import Path

import drawn
import numpy as np
import pandas as pd
import pytest

from models.vision.examples import examples_of
from models.vision.params import VisionParams

PARAMS = VisionParams(seed=1)


def test_equal_files_are_one_example_with_the_most_frequent_label(images: pd.DataFrame) -> None:
    one = images.head(1)
    told = pd.concat([images, one.assign(label="standing"), one.assign(label="wrong")], ignore_index=True)
    found = examples_of(told, PARAMS)
    assert len(found) == len(images) and set(found["uri"]) == set(images["uri"])
    assert found.loc[found["uri"] == one["uri"].iloc[0], "label"].tolist() == ["standing"]


def test_a_split_is_drawn_and_near_copies_are_in_one(images: pd.DataFrame, pictures_home: Path) -> None:
    copies, folder = [], pictures_home / "copies"
    folder.mkdir(exist_ok=True)
    for place in range(12):
        image, names = drawn.stripes(bool(place % 2), 8, 100 + place), (f"{place}.png", f"{place}.jpg")
        image.save(folder / names[0])
        image.resize((200, 200)).save(folder / names[1], quality=60)
        copies.append(tuple((folder / name).as_uri() for name in names))
    made = pd.DataFrame({"uri": [uri for pair in copies for uri in pair], "label": "copy"})
    found = examples_of(pd.concat([images, made], ignore_index=True), PARAMS).set_index("uri")["split"]
    assert set(found) == {"train", "valid", "test"}
    assert all(found[first] == found[second] for first, second in copies)
    assert found.value_counts(normalize=True)["train"] > 0.5


def test_the_tables_split_is_kept_and_a_missing_part_is_drawn(images: pd.DataFrame) -> None:
    told = images.assign(split=np.where(np.arange(len(images)) < 12, "test", "train"))
    found = examples_of(told, PARAMS).set_index("uri")["split"]
    assert set(found[told["uri"].head(12)]) == {"test"}
    assert set(found[told["uri"].iloc[12:]]) == {"train", "valid"}


def test_few_that_cannot_be_read_are_left_out_and_many_refused(
    images: pd.DataFrame, pictures_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (pictures_home / "a text.jpg").write_text("no picture")
    bad = [(pictures_home / "a text.jpg").as_uri(), (pictures_home / "gone.png").as_uri(), "file:///etc/passwd"]
    told = pd.concat([images, pd.DataFrame({"uri": bad, "label": "bad"})], ignore_index=True)
    assert set(examples_of(told, PARAMS)["uri"]) == set(images["uri"])
    assert f"3 of {len(told)} pictures cannot be read and are left out; first: file:" in caplog.text
    with pytest.raises(ValueError, match="images: 3 of 5 pictures cannot be read; first: file:"):
        examples_of(told.tail(5), PARAMS)


def test_a_sample_of_many_is_the_same_each_time(images: pd.DataFrame) -> None:
    few = PARAMS.model_copy(update={"max_examples": 10})
    found = examples_of(images, few)
    assert len(found) == 10
    pd.testing.assert_frame_equal(found, examples_of(images.sample(frac=1, random_state=0), few))
