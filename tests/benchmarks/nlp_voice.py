"""How well speech becomes text, and that no words come of sounds in which nobody speaks.

The speech is synthetic: one American voice, that of the package, in noise. Real callers have other voices.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from features.settings import Settings
from models.speech.mel import mel
from models.speech.sound import RATE, Samples, read, written
from models.speech.synthesis import VOICE_RATE, speak
from models.speech.transcription import SHORT_S, transcribe, understood, write
from models.speech.weights import NoVoice, needed
from serving.conversations.voice import for_voice
from tests.benchmarks.nlp_voice_sounds import SECONDS, fan, nobody, noise

Counts = npt.NDArray[np.float64]

WER, SILENCE = "nlp.voice.wer", "nlp.voice.silence_words"
GOALS = {WER: "<= .08", SILENCE: "<= 0"}
SEED, RESAMPLED = 0, 1000
#: Seeds of the sounds in which nobody speaks.
QUIET = (0, 1, 2)
#: Decibels of the speech above the noise of a fan and above white noise; None is no noise.
ABOVE = (None, 20, 10)
SENTENCES = (
    "How much is the Trail Runner?",
    "Do you have the storm jacket in stock?",
    "I want to reschedule the delivery.",
    "My order number is 1048231.",
    "Please deliver it on Tuesday.",
    "No, on Wednesday, please.",
    "Where is my parcel? It should have arrived last week.",
    "I would like to talk to a person.",
    "The shoes arrived broken and I want my money back.",
    "Can I pay by credit card or by invoice?",
    "Is there a discount for students?",
    "I want to order 12 pairs of running shoes.",
    "Which shoe do you recommend for wet rock?",
    "That is too expensive for me.",
    "Cancel my order, please.",
    "How long does shipping take to Hamburg?",
    "I want to return the jacket because it is too small.",
    "Thank you, that was very helpful.",
    "We are a sports club and need an offer for 40 jackets.",
    "Yes, that is right.",
)


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Word error rate in noise with its interval over sentences, and words where nobody speaks."""
    try:
        needed()
    except NoVoice as missing:
        yield from ({"name": name, "goal": goal, "absent": str(missing)} for name, goal in GOALS.items())
        return
    yield {"name": WER, "goal": GOALS[WER], "seed": SEED, **_wer()}
    yield {"name": SILENCE, "goal": GOALS[SILENCE], **_silence()}


def _wer() -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    words = np.array([len(_words(sentence)) for sentence in SENTENCES])
    errors, medians = _heard(rng)
    drawn = rng.integers(len(SENTENCES), size=(RESAMPLED, len(SENTENCES)))
    low, high = np.quantile(errors.mean(axis=0)[drawn].sum(axis=1) / words[drawn].sum(axis=1), (0.025, 0.975))
    by_level = ", ".join(
        f"{'no noise' if above is None else f'{above} dB'} {share:.3f}"
        for above, share in zip(ABOVE, errors.sum(axis=1) / words.sum(), strict=True)
    )
    return {
        "value": float(errors.sum() / words.sum() / len(ABOVE)),
        "low": float(low),
        "high": float(high),
        "unit": f"of words, {len(SENTENCES)} sentences of one synthetic voice in noise: {by_level}; {medians}",
    }


def _heard(rng: np.random.Generator) -> tuple[Counts, str]:
    """Wrong words by level of noise and sentence, and how long it took."""
    transcribe(read(written(speak("Hello."), VOICE_RATE)))  # opens the weights
    errors, seconds = np.zeros((len(ABOVE), len(SENTENCES))), defaultdict[str, list[float]](list)
    for place, sentence in enumerate(SENTENCES):
        begun = perf_counter()
        sound = read(written(np.pad(speak(for_voice(sentence)), VOICE_RATE // 2), VOICE_RATE))
        seconds["to speak"].append(perf_counter() - begun)
        seconds["of sound"].append(len(sound) / RATE)
        for level, above in enumerate(ABOVE):
            begun = perf_counter()
            heard = transcribe(_in_noise(sound, above, rng))
            seconds["to transcribe"].append(perf_counter() - begun)
            errors[level, place] = distance(_words(sentence), _words(heard))
    return errors, "medians: " + ", ".join(f"{np.median(every):.2f} s {name}" for name, every in seconds.items())


def _in_noise(sound: Samples, above: int | None, rng: np.random.Generator) -> Samples:
    """The sound in as much of a fan as of white noise; both together are `above` decibels below it."""
    if above is None:
        return sound
    power = np.mean(sound[np.abs(sound) > 0.01] ** 2)
    both = fan(len(sound), rng) + noise(len(sound), 0, rng)
    return (sound + both * np.sqrt(power / np.mean(both**2) * 10 ** (-above / 10))).astype(np.float32)


def _silence() -> dict[str, Any]:
    """Words of all sounds; and what Whisper writes for those of the first seed without a look for speech before it."""
    sounds = [(name, seed, wave.astype(np.float32)) for seed in QUIET for name, wave in nobody(seed)]
    wrong = {(name, seed): text for name, seed, sound in sounds if (text := transcribe(sound))}
    first = [sound for _, seed, sound in sounds if seed == QUIET[0]]
    alone = [write(mel(one, SHORT_S)) for one in first]
    every, past = (sum(len(_words(one.text)) for one in kept) for kept in (alone, filter(understood, alone)))
    named = f"; from {', '.join(f'{name}: {text}' for (name, _), text in wrong.items())}" if wrong else ""
    return {
        "value": sum(len(_words(text)) for text in wrong.values()),
        "unit": f"words in {len(sounds)} sounds of {SECONDS} s of silence, noise, fans, hum, music and signals{named};"
        f" without voice activity Whisper writes {every} for {len(first)} of them, and {past} pass its gates",
    }


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def distance(told: list[str], heard: list[str]) -> int:
    """The fewest words to insert, delete or replace (Levenshtein, 1966)."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(told, 1):
        above, row[0] = row[0], place
        for at, other in enumerate(heard, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (word != other))
    return row[-1]
