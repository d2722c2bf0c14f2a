"""English text to speech, by hibari (Apache 2.0): one voice, American and female, distilled from Kokoro-82M.

Its code is imported, as it turns letters into sounds; the weights that it opens are checked first.
"""

import threading
from functools import cache
from typing import Any

import numpy as np

from models.speech.sound import Samples
from models.speech.weights import verified

SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
#: Of the network for the sounds of words that its lexicon lacks.
SHA256_OF_WORDS = "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76"
#: Samples a second that `speak` returns.
VOICE_RATE = 24_000

_ONE = threading.Lock()  # it is opened once


def speak(text: str) -> Samples:
    """A text as speech at `VOICE_RATE`; the same text is the same sound. Raises `NoVoice` without the extra."""
    with _ONE:
        sound: Samples = _voice()(text, seed=0)
    return np.clip(sound, -1, 1)


@cache
def _voice() -> Any:
    weights = verified(("hibari", "assets/hibari.onnx"), sha256=SHA256)
    verified(("hibari", "assets/oov.onnx"), sha256=SHA256_OF_WORDS)
    from hibari import Hibari

    return Hibari(model=weights)
