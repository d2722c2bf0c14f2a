"""Faces are counted and boxed, and nothing else is kept of them."""

from dataclasses import fields

import numpy as np
import pytest
from PIL import Image, ImageFilter

from models.image.box import Box
from models.image.faces import faces
from models.image.picture import opened
from tests.unit.models.image.drawn import PHOTOS, photo, picture, plain


def test_the_astronaut_has_one_face():
    (face,) = faces(photo("astronaut.png"))
    assert face.iou(Box("face", 1, 175, 65, 275, 180)) > 0.6
    (reduced,) = faces(opened((PHOTOS / "astronaut.png").read_bytes(), 256))
    assert reduced.iou(face) > 0.7


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg", "chelsea.png", "motorcycle_left.png", "coins.png"])
def test_things_and_cats_have_none(name):
    assert faces(photo(name)) == ()


def test_most_frontal_faces_are_found():
    # Of 25 by 25 pixels, of Labeled Faces in the Wild: 100 faces, and 100 patches without one.
    patches = np.load(PHOTOS / "lfw_subset.npy")
    found = [len(faces(picture(_padded(patch)))) > 0 for patch in patches[::4]]
    assert sum(found[:25]) >= 19
    assert sum(found[25:]) == 0


def test_a_fainter_face_counts_within_a_person_only():
    blurred = picture(Image.open(PHOTOS / "astronaut.png").convert("RGB").filter(ImageFilter.GaussianBlur(8)))
    around, beside = Box("person", 0.9, 60, 0, 420, 512), Box("person", 0.9, 300, 0, 512, 512)
    assert len(faces(blurred, [around])) == 1
    assert faces(blurred, [beside]) == faces(blurred) == ()


def test_nothing_is_told_but_the_place():
    (face,) = faces(photo("astronaut.png"))
    assert {field.name for field in fields(face)} == {"label", "score", "left", "top", "right", "bottom"}
    assert face.label == "face"


def _padded(patch: np.ndarray) -> Image.Image:
    image = plain("gray", 200, 200)
    image.paste(Image.fromarray((patch * 255).astype(np.uint8)).resize((100, 100), Image.Resampling.BICUBIC), (50, 50))
    return image
