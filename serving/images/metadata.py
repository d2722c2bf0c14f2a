"""Takes metadata out of a file without coding it anew: EXIF with its position, XMP, comments, thumbnails, profiles."""

import io
from collections.abc import Iterator

import numpy as np

from models.image.picture import Picture, Pixels, opened

#: What pixels are read with. PNG: header, palette, transparency, sRGB and gamma, data, end. WebP: alpha, two codings.
_PNG = (b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"gAMA", b"IDAT", b"IEND")
_WEBP = (b"ALPH", b"VP8 ", b"VP8L")
#: Markers of JPEG: without length; start of scan and end of image; segments of applications and the comment.
_BARE, _SCAN, _END, _META = (0x01, *range(0xD0, 0xD9)), 0xDA, 0xD9, (*range(0xE0, 0xF0), 0xFE)


def stripped(picture: Picture, content: bytes) -> bytes | None:
    """The file without any metadata; None where its pixels would be others without, or its kind is not known.

    Those of an EXIF orientation or of another colour profile than sRGB would.

    Args:
        picture: the same file, opened with all its pixels.
    """
    ways = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}
    if picture.format not in ways or picture.frames > 1:
        return None
    try:
        found = b"".join(ways[picture.format](content))
        again = opened(found)
    except (ValueError, IndexError):
        return None
    same = _equal(again.pixels, picture.pixels) and _equal(again.alpha, picture.alpha)
    return found if same and again.notes == picture.notes == () else None


def _equal(first: Pixels | None, second: Pixels | None) -> bool:
    return first is second if first is None or second is None else np.array_equal(first, second)


def _jpeg(content: bytes) -> Iterator[bytes]:
    """Up to the end of the image: what follows it, as of some phones, is another picture."""
    yield content[:2]
    at = 2
    while content[at + 1] != _END:
        marker = content[at + 1]
        if content[at] != 0xFF:
            raise ValueError("expected a marker")
        end = at + 2 if marker in _BARE else at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _SCAN:
            end = _after_scan(content, end)
        if marker not in _META or _tells_colour(content[at:end]):
            yield content[at:end]
        at = end
    yield content[at : at + 2]


def _after_scan(content: bytes, at: int) -> int:
    """Where coded data ends: at a marker that is none of the restarts within it; a zero follows a value of 255."""
    while True:
        at = content.index(b"\xff", at)
        if content[at + 1] != 0 and content[at + 1] not in _BARE:
            return at
        at += 2


def _tells_colour(segment: bytes) -> bool:
    """Whether a segment says how to read colours: Adobe's, and JFIF's where it has no thumbnail."""
    return segment[4:9] == b"Adobe" or (segment[4:9] == b"JFIF\0" and len(segment) == 18)


def _png(content: bytes) -> Iterator[bytes]:
    yield content[:8]
    at, kind = 8, b""
    while kind != b"IEND":
        kind = content[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if not kind or end > len(content):
            raise ValueError("expected a chunk")
        if kind in _PNG:
            yield content[at:end]
        at = end


def _webp(content: bytes) -> Iterator[bytes]:
    """Chunks of pixels only; the header of an extended file without the flags of others."""
    file, chunks = io.BytesIO(content[12:]), list[bytes]()
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[4:], "little")
        body = file.read(size + size % 2)
        if head[:4] == b"VP8X":
            body = bytes([body[0] & 0b10000]) + body[1:]
        if head[:4] in (b"VP8X", *_WEBP):
            chunks.append(head + body)
    whole = b"WEBP" + b"".join(chunks)
    yield b"RIFF" + len(whole).to_bytes(4, "little") + whole
