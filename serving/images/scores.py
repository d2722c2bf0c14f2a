"""The scores of a picture, each with what it means in a sentence.

They describe a picture by rules of design. None was measured on ads: none tells how an ad will do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from models.image.aesthetics.text_contrast import NEEDED
from models.image.traits import Traits

#: Lower limits of a score, rising from 0, each with what it means from there on.
Levels = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes:
        name: of what it measures.
        value: from 0 to 1: more is more of what the name says, be that good or bad.
        says: what it means for this picture.
        overlay: name of the drawing that shows it (`serving.images.overlays`).
    """

    name: str
    value: float
    says: str
    overlay: str


_THIRDS: Levels = (
    (0, "what draws the eye is far from the thirds, near the middle or an edge"),
    (0.4, "what draws the eye is near a crossing of the thirds"),
    (0.75, "what draws the eye is on a crossing of the thirds"),
)
_BALANCE: Levels = ((0, "one side is much heavier"), (0.6, "one side is a little heavier"), (0.85, "balanced"))
_SYMMETRY: Levels = ((0, "not symmetric"), (0.4, "somewhat symmetric"), (0.75, "symmetric from left to right"))
_SPACE: Levels = (
    (0, "hardly any calm space for a message"),
    (0.15, "some calm space"),
    (0.4, "much calm space around the subject"),
)
_HARMONY: Levels = ((0, "its hues go in all directions"), (0.6, "its hues mostly go together"), (0.85, "harmonious"))
_CONTRAST: Levels = (
    (0, "flat"),
    (0.35, "medium contrast of light and dark"),
    (0.7, "strong contrast of light and dark"),
)
_COLOURFUL: Levels = ((0, "nearly grey"), (0.15, "muted"), (0.4, "colourful"), (0.75, "very colourful"))
_SHARPNESS: Levels = ((0, "blurred even where it has most detail"), (0.45, "a little soft"), (0.6, "sharp"))
_NOISE: Levels = ((0, "clean"), (0.15, "some noise"), (0.4, "noisy"))
_BLOCKS: Levels = (
    (0, "no traces of compression"),
    (0.2, "traces of compression"),
    (0.5, "plain blocks of compression"),
)
_LOST: Levels = ((0, "well exposed"), (0.1, "some parts without any detail"), (0.3, "large parts without any detail"))
_CLUTTER: Levels = ((0, "calm"), (0.35, "some detail competes for attention"), (0.65, "cluttered"))
_TEXT: Levels = (
    (0, "no text"),
    (1e-6, "little text"),
    (0.2, "much text: more than a fifth of the picture"),
    (0.4, "mostly text"),
)


def scores(traits: Traits) -> tuple[Score, ...]:
    """All scores of a picture."""
    return tuple(_scores(traits))


def _scores(traits: Traits) -> Iterator[Score]:
    made, hues, kept = traits.composition, traits.colours, traits.quality
    yield _score("rule of thirds", made.thirds, _THIRDS, "composition")
    yield _score("balance", made.balance, _BALANCE, "composition")
    yield _score("symmetry", made.symmetry, _SYMMETRY, "composition")
    yield _score("negative space", made.space, _SPACE, "calm")
    yield _score("clutter", traits.clutter, _CLUTTER, "calm")
    harmony = _score("harmony", hues.harmony, _HARMONY, "colour")
    yield Score(harmony.name, harmony.value, f"{harmony.says}: {hues.template or 'greys only'}", harmony.overlay)
    yield _score("contrast", hues.contrast, _CONTRAST, "colour")
    yield _score("colourfulness", hues.colourfulness, _COLOURFUL, "colour")
    yield _score("sharpness", kept.sharpness, _SHARPNESS, "quality")
    yield _score("noise", kept.noise, _NOISE, "quality")
    yield _score("compression", kept.blockiness, _BLOCKS, "quality")
    yield _score("lost detail", min(kept.dark + kept.light, 1.0), _LOST, "quality")
    yield _score("text share", traits.lettering.share, _TEXT, "text")
    yield _contrast_of_text(traits)


def _score(name: str, value: float, levels: Levels, overlay: str) -> Score:
    return Score(name, round(value, 4), [says for limit, says in levels if value >= limit][-1], overlay)


def _contrast_of_text(traits: Traits) -> Score:
    """The share of lines that everybody can read."""
    failing = [one for one in traits.contrasts if not one.enough]
    if not traits.contrasts:
        return Score("contrast of text", 1.0, "no text", "text")
    value = round(1 - len(failing) / len(traits.contrasts), 4)
    if not failing:
        return Score("contrast of text", value, f"all text has at least {NEEDED}:1", "text")
    worst = min(one.ratio for one in failing)
    says = f"{len(failing)} of {len(traits.contrasts)} lines have less than {NEEDED}:1; the worst has {worst:.1f}:1"
    return Score("contrast of text", value, says, "text")
