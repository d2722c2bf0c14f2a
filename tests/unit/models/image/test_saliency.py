"""Saliency marks what stands out, at the place where it stands."""

import numpy as np
import numpy.typing as npt
import pytest

from models.image.picture import Picture
from models.image.saliency import SIDE, saliency


def picture(pixels: npt.NDArray[np.uint8]) -> Picture:
    return Picture(pixels, None, "PNG", pixels.shape[1], pixels.shape[0], 1, "")


@pytest.mark.parametrize(("across", "down"), [(60, 40), (240, 100)])
def test_what_stands_out_is_most_salient(across: int, down: int) -> None:
    pixels = np.full((200, 300, 3), 120, np.uint8)
    pixels[down : down + 30, across : across + 30] = (255, 40, 0)
    found = saliency(picture(pixels))
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert found.shape == (64, SIDE) and found.dtype == np.float32
    assert abs(x / SIDE * 300 - across - 15) < 25 and abs(y / 64 * 200 - down - 15) < 25
    assert found.min() == 0 and found.max() == 1


def test_a_picture_of_one_colour_has_none() -> None:
    found = saliency(picture(np.full((3, 500, 3), 7, np.uint8)))
    assert found.shape == (1, SIDE) and not found.any()


def test_the_same_picture_has_the_same_map() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    np.testing.assert_array_equal(saliency(picture(pixels)), saliency(picture(pixels.copy())))
