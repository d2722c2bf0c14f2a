"""Copies of a post: texts that are equal, or nearly so, once addresses, handles and punctuation are left out.

Two texts are copies if the sets of their pairs of words have a Jaccard index of at least `ALIKE`. Candidates share one
of the `KEYS` smallest hashes of their pairs (Broder, "On the resemblance and containment of documents", 1997).
"""

import re
from itertools import pairwise
from zlib import crc32

ALIKE = 0.8
#: Hashes of a text that it is found by.
KEYS = 6
_LEFT_OUT = re.compile(r"https?://\S+|www\.\S+|^rt\s+@\w+:?|@\w+|\[(?:card|email|phone)\]", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def pairs(text: str) -> frozenset[int]:
    """Hashes of the pairs of neighbouring words; of a text without words its characters count as one."""
    words = _WORD.findall(_LEFT_OUT.sub(" ", text).casefold())
    if len(words) < 2:
        return frozenset([crc32((words[0] if words else text).encode())])
    return frozenset(crc32(f"{one} {other}".encode()) for one, other in pairwise(words))


def keys(of: frozenset[int]) -> list[int]:
    """The hashes that a text is found by."""
    return sorted(of)[:KEYS]


def alike(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether two texts, by their pairs, are copies."""
    return len(one & other) >= ALIKE * len(one | other)
