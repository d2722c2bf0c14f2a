"""Variants of a picture to test against each other: by crop, palette and place of the headline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.image.box import Box
from models.image.picture import Picture, Pixels
from models.image.saliency import saliency
from serving.images.crop import Crop, crop
from serving.images.formats import ImageFormat
from serving.images.headline import SetHeadline, calm, set_headline
from serving.images.palette import GRADES, graded
from serving.images.window import attention

#: Places of the headline that are tried in each crop: the calmest, each in another row.
PLACES = 2


@dataclass(frozen=True)
class Variant:
    """A variant, and what was changed: the same picture, format and headline always give the same.

    Attributes:
        name: `format.palette`, with `.position` where it has a headline.
        headline: how it was set; None without.
    """

    name: str
    pixels: Pixels
    form: ImageFormat
    palette: str
    headline: SetHeadline | None

    @property
    def changed(self) -> dict[str, str]:
        """What was changed, as attributes of a creative: models learn from them which of them an audience prefers."""
        told = {"crop": self.form.id, "palette": self.palette}
        return told if self.headline is None else told | {"text_position": self.headline.position}


def variants(
    picture: Picture,
    formats: Sequence[ImageFormat],
    product: Sequence[Box] = (),
    things: Sequence[Box] = (),
    texts: Sequence[Box] = (),
    headline: str | None = None,
    font: Path | None = None,
) -> Iterator[Variant]:
    """Each palette of each crop, with the headline at the calmest places where one is given.

    A format that no crop can fill has none. Raises `NoRoom` for a headline that cannot be set.

    Args:
        product, things, texts: boxes as `serving.images.crop.crop` takes them.
        font: of the headline.
    """
    for form in formats:
        made = crop(picture, form.size, product, things, texts, form.safe)
        if made.pixels is None:
            continue
        places = _places(made, form, [*product, *texts], things, headline, font) if headline else (None,)
        for palette in GRADES:
            pixels = graded(made.pixels, palette)
            for place in places:
                shown = (
                    None if place is None or not headline else set_headline(pixels, headline, place, form.safe, font)
                )
                name = ".".join([form.id, palette, *([place] if place else [])])
                yield Variant(name, pixels if shown is None else shown.pixels, form, palette, shown)


def _places(
    made: Crop, form: ImageFormat, held: Sequence[Box], things: Sequence[Box], headline: str, font: Path | None
) -> tuple[str, ...]:
    """The calmest places of a crop, each in another row; clear of the product, texts and faces."""
    if made.pixels is None:
        return ()
    height, width = made.pixels.shape[:2]
    given, found = ([made.placed(box).clip(width, height) for box in boxes] for boxes in (held, things))
    clear = [*given, *(box for box in found if box.label == "face")]
    shown = Picture(made.pixels, None, "PNG", width, height, 0, "")
    worth = attention(saliency(shown), width, height, [*given, *found])
    by_row = dict[str, str]()
    for place in calm(worth, made.pixels, headline, clear, form.safe, font):
        by_row.setdefault(place.partition("_")[0], place)
    return tuple(by_row.values())[:PLACES]
