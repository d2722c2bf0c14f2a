"""The spectrum is the one that Whisper was trained on."""

import numpy as np
import pytest

from models.speech.mel import BANDS, mel
from models.speech.sound import RATE


@pytest.mark.parametrize("seconds", [15, 30])
def test_the_spectrum_is_that_of_another_reader(seconds: int) -> None:
    from transformers import WhisperFeatureExtractor

    rng = np.random.default_rng(0)
    sound = (rng.normal(size=5 * RATE) * np.linspace(0, 0.1, 5 * RATE)).astype(np.float32)
    theirs = WhisperFeatureExtractor(chunk_length=seconds)(sound, sampling_rate=RATE, return_tensors="np")
    ours = mel(sound, seconds)
    assert ours.shape == (BANDS, 100 * seconds) and ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs["input_features"][0], atol=1e-5)


def test_a_tone_is_in_its_band_and_silence_in_none() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(15 * RATE) / RATE).astype(np.float32)
    loud = mel(tone, 15).mean(axis=1)
    assert loud.argmax() == 26  # 15 mels; band n is around (n + 1) / 81 of the 45.2 mels of 8000 Hz
    assert np.ptp(mel(np.zeros(RATE, np.float32), 15)) == 0
