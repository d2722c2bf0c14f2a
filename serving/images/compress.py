"""The smallest file that looks the same: SSIM of at least .95 to the upright sRGB picture, and no metadata.

Each kind of file is encoded at the lowest quality that keeps the similarity, found by bisection; the smallest wins, or
the original bytes without their metadata where nothing is smaller. The same bytes give the same bytes on processors of
one kind; on others PNG may differ, as its library deflates by other instructions there.
"""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from models.image.picture import InvalidPicture, Pixels, opened
from models.image.similarity import ssim
from serving.images.metadata import stripped

Kind = Literal["JPEG", "WEBP", "AVIF", "PNG"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Ends of the names of files.
SUFFIXES: dict[str, str] = {"JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "PNG": "png"}
#: Least similarity.
LEAST = 0.95
#: From this quality on, JPEG with all of its colours is tried too: it may reach the similarity at a lower one.
_HIGH = 90
#: One thread: more would cut the picture into other parts, on other machines into other bytes.
_OPTIONS: dict[Kind, dict[str, Any]] = {
    "JPEG": {"optimize": True, "progressive": True},
    "WEBP": {"method": 4},
    "AVIF": {"speed": 6, "max_threads": 1},
    "PNG": {"optimize": True},
}


@dataclass(frozen=True)
class Compressed:
    """A file.

    Attributes:
        kind: of the file.
        quality: that it was encoded with; None where nothing was lost.
        similarity: SSIM to the picture.
        original: it is the original file without metadata.
        notes: what a reader would see changed.
    """

    content: bytes
    kind: str
    quality: int | None
    similarity: float
    original: bool = False
    notes: tuple[str, ...] = ()


def saved(content: bytes, path: Path) -> Path:
    """Write a file whole, or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    return aside.replace(path)


def own_names(names: Sequence[str]) -> list[str]:
    """The names, or numbered where some are alike, so that no file is written over another's."""
    alike = len({*names}) < len(names)
    return [f"{place}-{name}" if alike else name for place, name in enumerate(names, 1)]


def compress(content: bytes, kinds: Sequence[Kind] = KINDS, least: float = LEAST) -> Compressed:
    """The smallest file of a picture, of these kinds.

    Raises:
        InvalidPicture: no picture, or an animation.
        ValueError: no kind is given, or none keeps `least`.
    """
    picture = opened(content)
    if picture.frames > 1:
        raise InvalidPicture("a still picture", f"{picture.frames} frames")
    same = stripped(picture, content) if picture.format in kinds else None
    kept = [] if same is None else [Compressed(same, picture.format, None, 1.0, original=True)]
    return _smallest([*kept, *_encoded(picture.pixels, picture.alpha, kinds, least)], kinds, least)


def compress_pixels(pixels: Pixels, kinds: Sequence[Kind] = KINDS, least: float = LEAST) -> Compressed:
    """The smallest file of pixels (height, width, 3) in sRGB. Raises `ValueError` as `compress` does."""
    return _smallest(_encoded(pixels, None, kinds, least), kinds, least)


def _smallest(found: Any, kinds: Sequence[Kind], least: float) -> Compressed:
    best = min(found, key=lambda one: len(one.content), default=None)
    if best is None:
        raise ValueError(f"kinds: expected some of {', '.join(KINDS)} that keep SSIM {least}, got {', '.join(kinds)}")
    return best


def _encoded(pixels: Pixels, alpha: Pixels | None, kinds: Sequence[Kind], least: float) -> Iterator[Compressed]:
    """One file of each kind, of WebP two. Transparency stays where a kind can hold it."""
    notes = tuple[str, ...]()
    if alpha is not None:
        kinds, image = [one for one in kinds if one != "JPEG"] or kinds, _transparent(pixels, alpha)
        notes = ("transparent parts became white",) if list(kinds) == ["JPEG"] else ()
    for kind in kinds:
        shown = (pixels, None) if alpha is None or kind == "JPEG" else (pixels, alpha)
        source = pixels if shown[1] is None else image
        if kind in ("PNG", "WEBP"):
            lossless = _written(source, kind, **({"lossless": True} if kind == "WEBP" else {}))
            yield Compressed(lossless, kind, None, _similarity(lossless, *shown), notes=notes)
        for options in _lossy(kind):
            found = _bisected(source, shown, kind, options, least, notes)
            if found is not None:
                yield found
            if found is not None and (found.quality or 0) < _HIGH:
                break


def _lossy(kind: Kind) -> Iterator[dict[str, Any]]:
    """Ways to lose something, the one that usually loses least bytes first."""
    if kind != "PNG":
        yield {}
    if kind == "JPEG":
        yield {"subsampling": "4:4:4"}


def _bisected(
    source: npt.NDArray[np.uint8],
    shown: tuple[Pixels, Pixels | None],
    kind: Kind,
    options: dict[str, Any],
    least: float,
    notes: tuple[str, ...],
) -> Compressed | None:
    """The file of the lowest quality, from 1 to 100, that keeps the similarity; None where none does."""
    below, above, best = 0, 101, None
    while above - below > 1:
        quality = (below + above) // 2
        content = _written(source, kind, quality=quality, **options)
        similarity = _similarity(content, *shown)
        if similarity >= least:
            above, best = quality, Compressed(content, kind, quality, similarity, notes=notes)
        else:
            below = quality
    return best


def _similarity(content: bytes, pixels: Pixels, alpha: Pixels | None) -> float:
    """Of a file to pixels on white, and of their transparency; the lower one."""
    found = opened(content)
    seen = ssim(found.pixels, pixels)
    if alpha is None:
        return seen
    opaque = np.full_like(alpha, 255) if found.alpha is None else found.alpha
    return min(seen, ssim(np.dstack([opaque] * 3), np.dstack([alpha] * 3)))


def _written(source: npt.NDArray[np.uint8], kind: Kind, **options: Any) -> bytes:
    from PIL import Image

    to = io.BytesIO()
    Image.fromarray(source).save(to, kind, **_OPTIONS[kind], **options)
    return to.getvalue()


def _transparent(pixels: Pixels, alpha: Pixels) -> npt.NDArray[np.uint8]:
    """Red, green, blue and alpha of pixels that are laid on white."""
    share = alpha[..., None].astype(np.float32) / 255
    colour = np.divide(pixels - 255 * (1 - share), share, out=np.full(pixels.shape, 255, np.float32), where=share > 0)
    return np.dstack([np.clip(colour.round(), 0, 255).astype(np.uint8), alpha])
