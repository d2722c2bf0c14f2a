"""A large picture is read at its own scale too, where it is sharp or not."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageFilter

from models import kept
from models.image.picture import opened
from models.vision import features
from models.vision.features import FROZEN, SIZE, TEXTURE, detailed, frozen

COFFEE = Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_place", None)


def read(image: Image.Image, by=frozen) -> np.ndarray:
    file = io.BytesIO()
    image.save(file, "PNG")
    return by(opened(file.getvalue()), 224, None)


def test_a_slight_blur_of_a_large_picture_shows_in_its_detail() -> None:
    sharp = COFFEE.resize((1200, 800), Image.Resampling.LANCZOS).filter(ImageFilter.SHARPEN)
    blurred, texture = sharp.filter(ImageFilter.GaussianBlur(1.5)), slice(SIZE, SIZE + TEXTURE)
    detail = 1 - read(sharp)[texture] @ read(blurred)[texture]
    reduced = 1 - read(sharp.resize((270, 180)))[texture] @ read(blurred.resize((270, 180)))[texture]
    assert read(sharp).shape == (FROZEN,) and detail > 4 * reduced


def test_a_small_picture_has_no_other_detail() -> None:
    found = read(COFFEE.resize((200, 200)))
    np.testing.assert_array_equal(found[:SIZE], found[SIZE + TEXTURE :])


def test_the_most_detailed_square_is_looked_at() -> None:
    pixels = np.full((900, 700, 3), 128, np.uint8)
    pixels[600:, 400:] = np.random.default_rng(0).integers(0, 255, (300, 300, 3))
    assert detailed(pixels).std() > 60 and detailed(pixels).shape == (features.SIDE, features.SIDE, 3)


def test_a_recent_picture_is_not_looked_at_again_and_an_older_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_recent", {})
    monkeypatch.setattr(features, "RECENT", 2)
    looked, plain = [], features.see
    monkeypatch.setattr(features, "see", lambda one: looked.append(one.shape) or plain(one))
    files = [COFFEE.resize((side, side)) for side in (64, 96, 128)]
    first, _, again, _, _ = (read(files[place], features.features) for place in (0, 1, 0, 2, 0))
    np.testing.assert_array_equal(first, again)
    assert len(looked) == 3
    read(files[1], features.features)
    assert len(looked) == 4


def test_features_are_kept_apart_by_size_and_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep_in(tmp_path)
    told = read(COFFEE)
    monkeypatch.setattr(features, "see", lambda one: pytest.fail("looked at again"))
    np.testing.assert_array_equal(read(COFFEE), told)
    with pytest.raises(pytest.fail.Exception):
        read(COFFEE.resize((100, 100)))
    kept._opened.cache_clear()
