"""Which brands a text mentions: "apple pie" is no mention of Apple.

A text without any name or alias mentions nobody. Where the brand list gives context words or examples, the text must
also be nearer to the examples of mentions than to the others, by MiniLM embeddings; context words count too.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.listening.brands import Brand, Brands

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]

#: What one context word adds to the difference of similarities; two settle it.
WORD = 0.25
#: Nearest examples of either kind whose similarities are averaged.
NEAREST = 3
#: Characters around the name that are compared, as a long text is about many things.
AROUND = 200


@dataclass(frozen=True)
class Found:
    """A brand that a text mentions, and the name that it is called there."""

    brand: str
    alias: str


class Matcher:
    """Finds the brands of a list in texts.

    Args:
        embed: embeddings of length 1; asked only about texts with an ambiguous name.
    """

    def __init__(self, brands: Brands, embed: Embed) -> None:
        self._names = [(one, _pattern((one.name, *one.aliases))) for one in brands.all]
        self._context = {one.name: _pattern(one.context) for one in brands.all if one.context}
        self._embed = embed
        self._examples: dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = {}

    def find(self, text: str) -> list[Found]:
        """The brands that the text mentions, in the list's order."""
        named = ((brand, pattern.search(text)) for brand, pattern in self._names)
        return [
            Found(brand.name, found[0])
            for brand, found in named
            if found and (not brand.is_ambiguous or self._means(brand, text, found))
        ]

    def _means(self, brand: Brand, text: str, found: re.Match[str]) -> bool:
        """Whether the text means the brand, and no other thing of its name."""
        context = self._context.get(brand.name)
        words = len({word.casefold() for word in context.findall(text)}) if context else 0
        if words > 1:
            return True
        if not brand.mentions and not brand.others:
            return words > 0
        around = text[max(found.start() - AROUND, 0) : found.end() + AROUND]
        (vector,) = self._embed([around])
        yes, no = self._of(brand)
        return WORD * words + _similarity(yes, vector) - _similarity(no, vector) > 0

    def _of(self, brand: Brand) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        if brand.name not in self._examples:
            # Context words also say what a mention is like where there are no examples of one, and the reverse.
            yes = brand.mentions or (f"{brand.name} {' '.join(brand.context)}",)
            no = brand.others or (brand.name,)
            self._examples[brand.name] = self._embed(yes), self._embed(no)
        return self._examples[brand.name]


def _similarity(examples: npt.NDArray[np.float32], vector: npt.NDArray[np.float32]) -> float:
    return float(np.sort(examples @ vector)[-NEAREST:].mean())


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Any of the names as whole words; the longest wins. Signs such as @ or emoji need no boundary."""
    longest = sorted(set(names), key=len, reverse=True)
    bounded = (
        (r"(?<!\w)" if name[0].isalnum() else "") + re.escape(name) + (r"(?!\w)" if name[-1].isalnum() else "")
        for name in longest
    )
    return re.compile("|".join(bounded), re.IGNORECASE)
