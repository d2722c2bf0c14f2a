"""What platforms take as the picture of an ad: sizes, ratios, weights, kinds of file, and what they cover of it."""

from collections.abc import Iterable
from functools import cache
from math import log
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from features.yaml_file import from_yaml
from serving.images.window import Margins

Side = Annotated[int, Field(ge=1)]
Size = tuple[Side, Side]
Share = Annotated[float, Field(gt=0, le=1)]
AdPlatform = Literal["google_ads", "meta", "linkedin"]


class UnknownImageFormat(LookupError):
    """No such format; the message names those there are."""


class ImageFormat(BaseModel):
    """A format of pictures.

    Attributes:
        source, date: who said so, and when.
        size, least, most: recommended, smallest and largest width and height in pixels.
        files: kinds of file.
        megabytes: of the file, at most.
        frames: of an animation, at most; 1: no animation.
        tolerance: by how much the ratio of width to height may differ from the recommended one's.
        narrow, wide: least and largest ratio that is taken though another is recommended.
        safe: margins in which the platform covers or cuts off what is there.
        text: largest share of the picture that text should cover.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    platform: AdPlatform
    about: str
    source: str
    date: str
    size: Size
    least: Size
    most: Size | None = None
    files: tuple[str, ...]
    megabytes: Annotated[float, Field(gt=0)]
    frames: Side = 1
    tolerance: Share
    narrow: Annotated[float, Field(gt=0)] | None = None
    wide: Annotated[float, Field(gt=0)] | None = None
    safe: Margins = Margins()
    text: Share

    @property
    def ratio(self) -> float:
        """Recommended width over height."""
        return self.size[0] / self.size[1]


@cache
def image_formats() -> dict[str, ImageFormat]:
    """All formats by their ids."""
    found = from_yaml(Path(__file__).with_name("formats.yaml").read_text())
    return {one["id"]: ImageFormat.model_validate(one) for one in found}


def image_format(name: str) -> ImageFormat:
    """The format of an id. Raises `UnknownImageFormat`."""
    if name not in image_formats():
        raise UnknownImageFormat(f"format: expected one of {', '.join(image_formats())}, got '{name}'")
    return image_formats()[name]


def of_platform(platform: str) -> list[ImageFormat]:
    """The formats of a platform, but for logos. Raises `UnknownImageFormat` for an unknown platform."""
    known = sorted({one.platform for one in image_formats().values()})
    if platform not in known:
        raise UnknownImageFormat(f"platform: expected one of {', '.join(known)}, got '{platform}'")
    return [one for one in image_formats().values() if one.platform == platform and ".logo" not in one.id]


def nearest(formats: Iterable[ImageFormat], width: int, height: int) -> ImageFormat:
    """Of some formats the one whose ratio is nearest to a picture's; the first of equal ones."""
    return min(formats, key=lambda one: abs(log(one.ratio * height / width)))
