"""Clutter: how full of detail a picture is."""

import numpy as np
import numpy.typing as npt

from models.image.picture import Picture

#: Longer side at which edges are looked for, and their share of the pixels from which a picture is wholly cluttered.
_SIDE, _FULL = 384, 0.22


def clutter(picture: Picture) -> float:
    """Clutter from 0 to 1 by the density of edges (Mack and Oliva, "Computational estimation of visual complexity",
    2004; Rosenholtz et al., "Measuring visual clutter", 2007, found it nearly as good as richer measures)."""
    return round(min(float(edges(picture).mean()) / _FULL, 1.0), 4)


def edges(picture: Picture) -> npt.NDArray[np.bool_]:
    """Which pixels of the picture, reduced to `_SIDE`, are edges."""
    import cv2

    height, width = picture.pixels.shape[:2]
    share = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    grey = cv2.cvtColor(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.Canny(cv2.GaussianBlur(grey, (0, 0), 1.0), 40, 110), np.uint8) > 0
