"""Near copies are found, whatever was done to them; other pictures of the same kind are none."""

import io
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageEnhance, ImageFilter

from models.image.picture import opened
from models.vision.copies import groups, near, reduced

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
CAT, COFFEE = (Image.open(PHOTOGRAPHS / name).convert("RGB") for name in ("chelsea.png", "coffee.png"))


def told(image: Image.Image, quality: int = 90) -> np.ndarray:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return reduced(opened(file.getvalue()))


COPIES = [
    told(CAT),
    told(CAT, quality=10),
    told(CAT.resize((150, 100))),
    told(CAT.filter(ImageFilter.GaussianBlur(4))),
    told(ImageEnhance.Brightness(CAT).enhance(0.4)),
]
OTHERS = [told(COFFEE), told(CAT.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), told(CAT.crop((0, 0, 200, 200)))]
FLAT = told(Image.new("RGB", (90, 60), "white"))


def test_copies_of_another_size_compression_sharpness_or_brightness_are_near() -> None:
    assert near(np.stack(COPIES[1:]), np.stack(COPIES[:1])).all()
    assert not near(np.stack(OTHERS), np.stack(COPIES)).any()


def test_pictures_of_one_grey_are_copies_of_none() -> None:
    assert not FLAT.any() and not near(np.stack([FLAT]), np.stack([FLAT, *COPIES])).any()


def test_copies_are_in_one_group_and_others_alone() -> None:
    found = groups([OTHERS[0], COPIES[0], FLAT, *COPIES[1:], FLAT])
    assert len(set(found[[1, 3, 4, 5, 6]])) == 1
    assert len(set(found)) == 4


def test_nothing_has_no_copies() -> None:
    none = np.empty((0, 0), np.float32)
    assert not near(np.stack(COPIES), none).any() and not len(near(none, none))
