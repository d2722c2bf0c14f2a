"""Emerging phrases: what voices say more often than before, beyond noise.

Log odds of phrases with the earlier texts as their prior (Monroe, Colaresi and Quinn, "Fightin' words", 2008). A voice
counts once a phrase.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

#: Words of a phrase, and voices that use it, at least.
LONGEST, VOICES = 3, 4
#: Standard errors that the log odds must lie above 0: thousands of phrases are compared.
SURE = 3.0
#: Voices without a phrase that are added to either side.
PRIOR = 10.0
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_LEFT_OUT = re.compile(r"https?://\S+|@\w+|\[(?:card|email|phone)\]")


@dataclass(frozen=True)
class Phrase:
    """A phrase; how many voices use it now and how many did before; how many times as usual it has become."""

    text: str
    now: int
    before: int
    times: float


def emerging(now: Sequence[str], before: Sequence[str], count: int = 10) -> list[Phrase]:
    """The phrases of `now` that rose most surely; of phrases within each other the longer one."""
    counted, earlier = _count(now), _count(before)
    found = []
    for phrase, seen in counted.items():
        then = earlier[phrase]
        usual = (then + 0.5) / (len(before) + 1)
        share = (seen + PRIOR * usual) / (len(now) + PRIOR)
        rise = log(share / (1 - share)) - log(usual / (1 - usual))
        without = len(now) - seen + PRIOR * (1 - usual), len(before) - then + 0.5
        error = sqrt(1 / (seen + PRIOR * usual) + 1 / (then + 0.5) + sum(1 / count for count in without))
        sure = rise / error
        if seen >= VOICES and sure >= SURE:
            found.append((sure * len(phrase) ** 0.1, Phrase(" ".join(phrase), seen, then, share / usual)))
    return _distinct((phrase for _, phrase in sorted(found, key=lambda one: -one[0])), count)


def _count(texts: Iterable[str]) -> Counter[tuple[str, ...]]:
    counted: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = [word.casefold() for word in _WORD.findall(_LEFT_OUT.sub(" ", text))]
        counted.update(
            {tuple(words[at : at + size]) for size in range(1, LONGEST + 1) for at in range(len(words) - size + 1)}
        )
    return counted


def _distinct(phrases: Iterable[Phrase], count: int) -> list[Phrase]:
    """Leave out phrases that are a part of, or contain, another with almost the same voices."""
    chosen: list[Phrase] = []
    for phrase in phrases:
        same = next((at for at, other in enumerate(chosen) if _overlap(phrase, other)), None)
        if same is None:
            chosen.append(phrase)
        elif len(phrase.text) > len(chosen[same].text) and phrase.now >= 0.8 * chosen[same].now:
            chosen[same] = phrase
    return chosen[:count]


def _overlap(one: Phrase, other: Phrase) -> bool:
    shared = set(one.text.split()) & set(other.text.split())
    return bool(shared) and min(one.now, other.now) >= 0.5 * max(one.now, other.now)
