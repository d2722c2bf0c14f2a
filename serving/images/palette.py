"""Grades of colour in small steps: a warmer, a cooler and a more contrasty version of a picture."""

from collections.abc import Mapping

import numpy as np

from models.image.picture import Pixels

#: By name: the factor of lightness about its middle, and what is added to a* and b* of CIELAB. Each is a step that
#: people see beside the original (3 units or more) and that leaves a product's colour its name (10 units or fewer).
GRADES: Mapping[str, tuple[float, float, float]] = {
    "natural": (1.0, 0.0, 0.0),
    "warm": (1.0, 3.0, 8.0),
    "cool": (1.0, -2.0, -8.0),
    "contrast": (1.15, 0.0, 0.0),
}
_MIDDLE = 50.0


def graded(pixels: Pixels, name: str) -> Pixels:
    """Pixels (height, width, 3) in a grade of `GRADES`. Black stays black, and white white."""
    import cv2

    factor, red, yellow = GRADES[name]
    if (factor, red, yellow) == (1.0, 0.0, 0.0):
        return pixels
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    # Full in the middle tones, and nothing at both ends, where a tint would show as a cast.
    share = 1 - np.abs(light - _MIDDLE) / _MIDDLE
    lab[..., 1] += red * share
    lab[..., 2] += yellow * share
    lab[..., 0] = light + (factor - 1) * (light - _MIDDLE) * share
    return np.clip(np.rint(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255), 0, 255).astype(np.uint8)
