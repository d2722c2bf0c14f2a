"""What copy means, where no rule knows its words: the rule whose examples it is like.

MiniLM reads English, so German is read word by word through a gloss. `relearn` learns `meaning.safetensors` anew
from `examples.yaml` and `gloss.yaml`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from features.yaml_file import from_yaml
from models.text.embedding import embed
from models.text.meaning import Floats, learn, probabilities
from serving.content.rules import rules
from serving.content.sheet import Language, Sheet

#: Probability from which a meaning is refused: of headlines that claim nothing, 7 in 1,000 reach it.
SURE = 0.7
#: Words below which a piece says too little to be read by its meaning, and characters up to which sentences are joined.
_WORDS, _JOINED = 3, 150
#: What copy that breaks no rule is learnt as; of each kind of texts that are no ads, how many are tried, and how long.
_NOTHING, _NO_ADS, _SHORT = "nothing", 500, 120
#: Examples are learnt alone and among words that mean nothing: copy goes on.
_AMONG = (
    "{} with it", "it: {}", "{} in these shoes", "{} every day", "with it, {}", "{}, with it from it", "yes, {}",
    "{} and enjoy the day", "hello autumn: {}",
)  # fmt: skip
_WEIGHTS = Path(__file__).with_name("meaning.safetensors")
#: Of German words.
_ENDINGS = (
    "", "en", "e", "er", "es", "em", "n", "s", "t", "st", "et", "te", "ten", "ste", "sten", "ster", "in", "innen",
)  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Meaning:
    """What a piece of a text means.

    Attributes:
        rule: that its meaning breaks.
        piece: of the text.
        example: of that rule, which is nearest.
    """

    rule: str
    piece: str
    example: str


def meanings(text: str, language: Language, sheet: Sheet) -> Iterator[Meaning]:
    """The rules that a text breaks by its meaning, for each of its pieces; the product's names mean nothing."""
    for piece in _pieces(text):
        read = english(_nameless(piece, language, sheet), language)
        if len(_WORD.findall(read)) >= _WORDS:
            likely = dict(zip(_learnt(), probabilities([read], _learnt())[0], strict=True))
            rule = max(likely, key=lambda one: likely[one])
            if rule != _NOTHING and likely[rule] >= SURE:
                yield Meaning(rule, piece, _nearest(read, rule))


def english(text: str, language: Language) -> str:
    """A text as the encoder can read it: of German words the English ones that are known. How it ends tells nothing."""
    plain = text.lower().strip(" .!\u2026")
    return plain if language == "en" else _WORD.sub(lambda word: _english(word[0]), plain)


def _pieces(text: str) -> Iterator[str]:
    """Sentences, short ones joined."""
    piece = ""
    for sentence in filter(None, map(str.strip, _SENTENCE.split(text))):
        if piece and len(piece) + len(sentence) > _JOINED:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}".strip()
    if piece:
        yield piece


def _nameless(text: str, language: Language, sheet: Sheet) -> str:
    names = "|".join(re.escape(one) for one in sorted((sheet.name, sheet.brand), key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", "it" if language == "en" else "es", text, flags=re.IGNORECASE)


def _english(word: str) -> str:
    """The gloss of a word without its ending, or of the parts of a compound; the word itself where there is none."""
    gloss = _gloss()
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            for base in (stem, f"{stem}en", f"{stem}e"):
                if base in gloss:
                    return gloss[base]
    for cut in range(3, len(word) - 3):
        first, last = word[:cut], word[cut:]
        known = next((one for one in (first, first.rstrip("s"), f"{first}e") if one in gloss), None)
        if known is not None and last in gloss:
            return f"{gloss[known]} {gloss[last]}"
    return word


def _nearest(read: str, rule: str) -> str:
    pairs = _examples()[rule]
    near = embed([one for _, one in pairs]) @ embed([read])[0]
    return pairs[int(np.argmax(near))][0]


@cache
def _learnt() -> dict[str, Floats]:
    from safetensors.numpy import load_file

    found = load_file(_WEIGHTS)
    return {rule: found[rule] for rule in sorted(found)}


@cache
def _examples() -> dict[str, list[tuple[str, str]]]:
    """Examples of each rule, as they are written and as they are read."""
    written: dict[str, dict[Language, list[str]]] = _yaml("examples.yaml")
    return {
        rule: [(one, english(one, language)) for language, all_ in several.items() for one in all_]
        for rule, several in written.items()
    }


@cache
def _gloss() -> dict[str, str]:
    found: dict[str, str] = _yaml("gloss.yaml")
    return found


def _yaml(name: str) -> Any:
    return from_yaml(Path(__file__).with_name(name).read_text("utf-8"))


def _no_ads() -> Iterator[str]:
    """Posts and sentences of editorials and reviews in which no rule finds its words."""
    from features.sources.rated_texts import KINDS, texts

    known = [rule for rule in rules() if rule.id in _examples()]
    for kind in KINDS:
        short = texts(kind)["text"].loc[lambda every: every.str.len() <= _SHORT]
        for text in short.sample(_NO_ADS, random_state=0).tolist():
            if not any(rule.decides(text) for rule in known):
                yield text


def relearn() -> None:
    """Learn `meaning.safetensors` anew. Raises `FileNotFoundError` where the rated texts were not downloaded."""
    from safetensors.numpy import save_file

    told = [(read, rule) for rule, pairs in _examples().items() for _, read in pairs]
    told += [(_AMONG[place % len(_AMONG)].format(read), rule) for place, (read, rule) in enumerate(told)]
    told += [(english(text, "en"), _NOTHING) for text in _no_ads()]
    weights = learn(*zip(*told, strict=True))
    save_file({rule: one.astype(np.float16) for rule, one in weights.items()}, _WEIGHTS)
