"""What is in a picture and how it looks, in one record."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.image.backbone import tags
from models.image.logos import Logo, Mark, logos
from models.image.mood import Mood, mood
from models.image.picture import Picture
from models.image.scene import Scene, scene
from models.image.traits import Traits, traits
from models.image.unsafe import LOOK_FROM, unsafe
from serving.images.rating import PictureRating
from serving.images.scores import Score, scores

#: Tags that are told of a picture, and the probability that each has at least.
MOST_TAGS, LEAST_TAG = 5, 0.05
#: What is said in place of a learnt score.
NOT_LEARNT = "no ratings learnt: the look of this picture was judged by rules of design alone"


@dataclass(frozen=True)
class Analysis:
    """What was found in a picture. Boxes are in pixels of the upright original.

    Attributes:
        picture: what was read.
        traits: composition, colours, quality, text, things and faces.
        tags: classes of ImageNet with their probabilities, the likeliest first; none where none is likely.
        logos: of the brands that were asked for.
        unsafe: probability that it is not suitable for work.
        scores: how it looks, by rules of design.
        rating: what people who rated before would say; None where no ratings were learnt.
    """

    picture: Picture
    traits: Traits
    tags: tuple[tuple[str, float], ...]
    scene: Scene
    mood: Mood
    logos: tuple[Logo, ...]
    unsafe: float
    scores: tuple[Score, ...]
    rating: PictureRating | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at before this is published."""
        said = [f"logo of {one.brand} is cut off at the {' and '.join(one.off)}" for one in self.logos if one.off]
        if self.unsafe >= LOOK_FROM:
            said.append(f"may be unsuitable for work: {self.unsafe:.0%}")
        for one in self.traits.contrasts:
            if not one.enough:
                said.append(
                    f"text {one.line.text!r} is hard to read: {one.ratio:.1f}:1, {one.letters} on {one.background}"
                )
        return tuple(said)

    def as_dict(self) -> dict[str, Any]:
        """As plain values for JSON; without the embedding, which says nothing to people."""
        seen, text = self.traits, self.traits.lettering
        return {
            **{name: getattr(self.picture, name) for name in ("format", "width", "height", "size", "sha256", "frames")},
            "notes": list(self.picture.notes),
            "tags": [{"label": label, "score": round(chance, 4)} for label, chance in self.tags],
            "scene": asdict(self.scene),
            "things": [asdict(one) for one in seen.things],
            "faces": {"count": len(seen.faces), "boxes": [asdict(one) for one in seen.faces]},
            "text": {"lines": [asdict(one) for one in text.lines], "share": text.share},
            "text_contrast": [
                {"text": one.line.text, "ratio": one.ratio, "letters": one.letters, "background": one.background}
                | {"enough": one.enough, "corners": one.line.corners}
                for one in seen.contrasts
            ],
            "logos": [asdict(one) for one in self.logos],
            "unsafe": self.unsafe,
            "mood": asdict(self.mood),
            "composition": asdict(seen.composition),
            "colours": asdict(seen.colours),
            "quality": asdict(seen.quality),
            "scores": [asdict(one) for one in self.scores],
            "rating": NOT_LEARNT if self.rating is None else asdict(self.rating),
            "warnings": list(self.warnings),
        }


def analyse(picture: Picture, marks: Sequence[Mark] = (), rating: PictureRating | None = None) -> Analysis:
    """Look at a picture, best opened with `models.image.traits.LONGEST`.

    Args:
        marks: logos to look for.
        rating: by what was learnt from people's ratings (`serving.images.rating`); None where nothing was.
    """
    import cv2

    cv2.setNumThreads(1)  # the same answer on any machine; servers look at several pictures at once
    found, every = traits(picture), tags(picture, most=1000)
    return Analysis(
        picture=picture,
        traits=found,
        tags=tuple(one for one in every[:MOST_TAGS] if one[1] >= LEAST_TAG),
        scene=scene(every, found.things),
        mood=mood(picture, every, found.things),
        logos=logos(picture, marks, found.lettering),
        unsafe=unsafe(picture),
        scores=scores(found),
        rating=rating,
    )
