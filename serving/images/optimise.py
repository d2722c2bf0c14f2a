"""A picture for each format of a platform: cropped, drawn over, compressed and checked."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from models.image.box import Box
from models.image.detector import things
from models.image.faces import faces
from models.image.lettering import lettering
from models.image.picture import InvalidPicture, Picture, Pixels, opened
from serving.images.compress import KINDS, Compressed, compress_pixels
from serving.images.crop import Crop, crop
from serving.images.crop_overlay import overlay
from serving.images.formats import ImageFormat
from serving.images.preflight import Preflight, preflight
from serving.images.texts import uncut

#: Longer side at which a picture is cropped: no format asks for more.
LONGEST = 4096
#: Longer side at which things, faces and texts are looked for.
LOOKED_AT = 1080


@dataclass(frozen=True)
class Optimised:
    """A picture for a format.

    Attributes:
        file: None where the crop was refused.
        checked: the pre-flight of the file.
    """

    form: ImageFormat
    source: Picture
    crop: Crop
    file: Compressed | None
    checked: Preflight | None

    @cached_property
    def overlay(self) -> Pixels:
        """The crop drawn over the whole picture, with its reason."""
        return overlay(self.source, self.crop, self.form.safe, f"{self.form.id}: {self.form.about}")

    def as_dict(self) -> dict[str, Any]:
        """As JSON, without the file's bytes."""
        made, file = self.crop, self.file
        pixels = (0, 0) if made.pixels is None else made.pixels.shape[:2]
        return {
            "format": self.form.id,
            "reason": made.reason,
            "padded": made.padded,
            "kept": made.kept,
            "window": asdict(made.window),
            "product": None if made.held.product is None else asdict(made.held.product),
            "texts": [asdict(text) for text in made.held.texts],
            **({} if file is None else {"kind": file.kind, "width": pixels[1], "height": pixels[0]}),
            **({} if file is None else {"bytes": len(file.content), "similarity": round(file.similarity, 4)}),
            "check": None if self.checked is None else self.checked.as_dict(),
        }


def optimised(content: bytes, formats: Sequence[ImageFormat], product: Sequence[Box] = ()) -> Iterator[Optimised]:
    """One picture for each format, as files of the kinds that it takes.

    Args:
        product: boxes of what must not be cut, in pixels of the upright original.

    Raises:
        InvalidPicture: no picture, an animation, or a product that is not in it.
    """
    picture = opened(content, LONGEST)
    if picture.frames > 1:
        raise InvalidPicture("a still picture", f"{picture.frames} frames")
    for box in product:
        if not box.clip(picture.width, picture.height).area:
            raise InvalidPicture(f"a product within {picture.width} by {picture.height}", str(box.place))
    small = opened(content, LOOKED_AT)
    found, texts = seen(small), uncut(lettering(small).lines, small)
    whole = Box("", 1.0, 0, 0, picture.width, picture.height)
    for form in formats:
        made = crop(picture, form.size, product, found, texts, form.safe)
        if made.pixels is None:
            yield Optimised(form, picture, made, None, None)
            continue
        file = compress_pixels(made.pixels, [kind for kind in KINDS if kind in form.files])
        placed = [made.placed(box) for box in product]
        checked = preflight(file.content, [form], placed, original=made.placed(whole))
        yield Optimised(form, picture, made, file, checked)


def seen(picture: Picture) -> list[Box]:
    """Things and faces."""
    found = things(picture)
    people = [thing for thing in found if thing.label == "person"]
    return [*found, *faces(picture, people)]
