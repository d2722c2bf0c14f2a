"""Opens a picture: upright, in sRGB, within limits; what is no picture is refused."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

#: Kinds of file that are read. Of HEIC the licence of its codec is not free, and an SVG is a program to run.
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
#: Bytes of a file, and pixels of a picture, that are read at most.
MOST_BYTES = 60 * 1024 * 1024
MOST_PIXELS = 120_000_000
_SIZE = "a side of at least 1 pixel, and at most 120 million pixels"


class InvalidPicture(ValueError):
    """A file that is no picture, or none that is read: tells what was expected and what came."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"picture: expected {expected}, got {got}")
        self.expected, self.got = expected, got


@dataclass(frozen=True)
class Picture:
    """A picture as people see it.

    Attributes:
        pixels: (height, width, 3), sRGB, upright; where it is transparent, as on white.
        alpha: (height, width), 255 where opaque; None for a picture without transparency.
        format: of the file, one of `KINDS`.
        width, height: of the whole picture, upright; `pixels` may be fewer.
        size: bytes of the file.
        sha256: of the file.
        frames: more than 1 of an animation, whose first is in `pixels`.
        notes: what was changed while reading.
    """

    pixels: Pixels
    alpha: Pixels | None
    format: str
    width: int
    height: int
    size: int
    sha256: str
    frames: int = 1
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Width of `pixels` over `width`."""
        return float(self.pixels.shape[1] / self.width)


def opened(content: bytes, longest: int | None = None) -> Picture:
    """Open the bytes of a file.

    Args:
        longest: of `pixels`' longer side at most; larger pictures are reduced. None: all pixels.

    Raises:
        InvalidPicture: not a picture of `KINDS`, too large, cut off or damaged.
    """
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise InvalidPicture("the bytes of a picture", "none")
    if len(content) > MOST_BYTES:
        raise InvalidPicture(f"at most {MOST_BYTES:,} bytes", f"{len(content):,}")
    try:
        with warnings.catch_warnings():
            # The limit is that of this module; Pillow warns at a lower one.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(io.BytesIO(content), formats=KINDS) as image:
                return _read(image, content, longest)
    except UnidentifiedImageError:
        raise InvalidPicture(f"one of {', '.join(KINDS)}", kind_of(content)) from None
    except Image.DecompressionBombError:
        raise InvalidPicture(_SIZE, "more") from None
    except InvalidPicture:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as fault:
        raise InvalidPicture("a whole, undamaged file", str(fault) or type(fault).__name__) from None


def kind_of(content: bytes) -> str:
    """What a file that is no picture seems to be, in words."""
    start = content[:512].lstrip().lower()
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "HEIC: save it as JPEG"
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in start:
        return "SVG: save it as PNG"
    if start.startswith(b"%pdf"):
        return "a PDF"
    if content[4:8] == b"ftyp":
        return "a video"
    return "a text" if _is_text(content[:512]) else "another kind of file, or a damaged one"


def _is_text(start: bytes) -> bool:
    # Cut off within a character, it is a text all the same.
    return (bool(start) and start.decode("utf-8", errors="ignore").isprintable()) or start.isascii()


def _read(image: Any, content: bytes, longest: int | None) -> Picture:
    width, height = image.size
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise InvalidPicture(_SIZE, f"{width:,} by {height:,}")
    kind, frames = str(image.format), int(getattr(image, "n_frames", 1))
    notes = [] if frames == 1 else [f"first of {frames} {'pages' if kind == 'TIFF' else 'frames'}"]
    if longest is not None:
        # A JPEG is decoded at a half, a quarter or an eighth of its size, without the memory for all of it.
        image.draft(None, _within(width, height, longest))
    profile = image.info.get("icc_profile")
    image.load()
    if kind == "TIFF":  # turned while loading
        width, height = image.size
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    image, changed = _eight_bits(image)
    if longest is not None and max(image.size) > longest:
        image = image.resize(_within(image.width, image.height, longest), resample=_box(), reducing_gap=2.0)
    if profile:
        image, more = _from_profile(image, profile)
        changed += more
    if turn is not None:
        image = image.transpose(turn)
        notes.append("turned as its EXIF says")
        width, height = (height, width) if turn in _ON_ITS_SIDE else (width, height)
    pixels, alpha = _laid_on_white(image)
    sha256 = hashlib.sha256(content).hexdigest()
    return Picture(pixels, alpha, kind, width, height, len(content), sha256, frames, (*notes, *changed))


#: EXIF's tag, and the transposition of Pillow (`Image.Transpose`) that makes each of its values upright.
_ORIENTATION = 0x0112
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_ON_ITS_SIDE = (2, 4, 5, 6)


def _within(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size of a picture whose longer side is at most `longest`."""
    share = min(1.0, longest / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def _box() -> Any:
    from PIL import Image

    return Image.Resampling.BOX


def _eight_bits(image: Any) -> tuple[Any, list[str]]:
    """The image with 8 bits a channel, in a mode that can be resized: L, RGB, RGBA, CMYK or LAB."""
    from PIL import Image

    mode = str(image.mode)
    if mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        # What is stored in 32 bits is of 16 bits, or of 8.
        values = values // 257 if mode != "I" or values.max() > 255 else values
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)), ["converted from 16 bits"]
    if mode == "F":
        raise InvalidPicture("8 or 16 bits a channel", "floating-point numbers, whose range is unknown")
    if "transparency" in image.info or mode in ("LA", "La", "PA", "RGBa"):
        return image.convert("RGBA"), []
    if mode in ("1", "P", "YCbCr", "HSV", "RGBX"):
        return image.convert("RGB"), []
    return image, [f"converted from {mode}"] if mode in ("CMYK", "LAB") else []


def _from_profile(image: Any, profile: bytes) -> tuple[Any, list[str]]:
    """Colours of a profile as sRGB; unchanged where the profile cannot be read."""
    from PIL import Image, ImageCms

    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    opaque = image if alpha is None else image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image, []
        found = ImageCms.profileToProfile(opaque, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image, ["its colour profile cannot be read: taken as sRGB"]
    if found is None:
        return image, []
    if alpha is not None:
        found = Image.merge("RGBA", (*found.split(), alpha))
    return found, ["converted from its colour profile"]


def _laid_on_white(image: Any) -> tuple[Pixels, Pixels | None]:
    """Pixels as on white, and how opaque they are; None where all are."""
    if image.mode != "RGBA":
        return np.asarray(image.convert("RGB")), None
    from PIL import Image

    alpha = np.asarray(image.getchannel("A"))
    if alpha.min() == 255:
        return np.asarray(image.convert("RGB")), None
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB")), alpha
