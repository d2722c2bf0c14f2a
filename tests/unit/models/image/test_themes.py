"""Themes: a few numbers by which pictures of like things are alike."""

from pathlib import Path

import numpy as np
import skimage

from models.image.backbone import embed
from models.image.picture import opened
from models.image.themes import COUNT, themes

PHOTOS = Path(skimage.__file__).parent / "data"


def seen(*names: str) -> np.ndarray:
    return themes(embed([opened((PHOTOS / name).read_bytes()) for name in names]))


def test_two_views_of_one_thing_are_alike_and_others_are_not():
    alike = np.corrcoef(seen("motorcycle_left.png", "motorcycle_right.png", "coffee.png", "chelsea.png"))
    assert alike[0, 1] > 0.8
    assert np.abs(alike[0, 2:]).max() < 0.5


def test_each_picture_has_a_finite_number_of_each_theme():
    found = seen("coffee.png", "rocket.jpg")
    assert found.shape == (2, COUNT)
    assert np.isfinite(found).all()
    assert np.abs(found.std(axis=0)).min() > 0
