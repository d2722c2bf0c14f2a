"""The similarity is that of scikit-image."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from models.image.similarity import ssim

DRAW = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(7, 9, 3), (96, 40, 3), (102, 31, 3), (103, 31, 3), (250, 64, 3)])
def test_it_is_that_of_scikit_image(shape: tuple[int, ...]) -> None:
    first = DRAW.integers(0, 256, shape, np.uint8)
    second = np.clip(first + DRAW.normal(0, 20, shape), 0, 255).astype(np.uint8)
    assert ssim(first, second) == pytest.approx(structural_similarity(first, second, channel_axis=2), abs=1e-5)
    assert ssim(first, first) == pytest.approx(1, abs=1e-6)


def test_pictures_smaller_than_a_window_are_equal_or_not() -> None:
    tiny = np.zeros((2, 90, 3), np.uint8)
    assert ssim(tiny, tiny) == 1
    assert ssim(tiny, tiny + np.uint8(1)) == 0


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected two of one shape"):
        ssim(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 8, 3), np.uint8))
