"""Files get smaller and look the same; nothing but the picture leaves."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from skimage.metrics import structural_similarity

from models.image.picture import InvalidPicture, opened
from serving.images.compress import KINDS, Kind, compress, compress_pixels, own_names

PHOTO = Image.open(Path(skimage.__file__).parent / "data" / "chelsea.png").reduce(2)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf>secret place</rdf></x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(turned: int = 1) -> Image.Exif:
    """With a position, the name of a camera and a comment."""
    found = Image.Exif()
    found[0x010F], found[0x0112] = "secret camera", turned
    found.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return found


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    to = io.BytesIO()
    image.save(to, kind, **options)
    return to.getvalue()


def full_of_metadata(kind: str) -> bytes:
    options: dict[str, Any] = {"exif": exif(), "icc_profile": PROFILE}
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Author", "secret person", zip=True)
        return written(PHOTO, kind, pnginfo=text, **options)
    if kind == "JPEG":
        options["comment"] = b"secret comment"
        return written(PHOTO, kind, xmp=XMP, quality=40, **options) + b"secret after the end"
    return written(PHOTO, kind, xmp=XMP, quality=40, **options)


def metadata(content: bytes) -> dict[str, Any]:
    """All that Pillow finds in a file besides its pixels."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        jpeg = ("jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive", "progression")
        of_pixels = (*jpeg, "background", "timestamp", "duration", "loop", "adobe", "adobe_transform")
        told = {name: value for name, value in image.info.items() if name not in of_pixels}
        return told | dict(image.getexif())


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_metadata_leaves(source: str, kind: Kind) -> None:
    content = full_of_metadata(source)
    assert b"secret" in content and metadata(content)
    found = compress(content, [kind])
    assert metadata(found.content) == {}
    for trace in (b"secret", b"Exif", b"EXIF", b"xmp", b"GPS", b"ICC_PROFILE", b"iCCP", b"ICCP"):
        assert trace not in found.content, trace


@pytest.mark.parametrize("kind", KINDS)
def test_it_looks_the_same_and_is_the_same_each_time(kind: Kind) -> None:
    content = written(PHOTO, "PNG")
    found = compress(content, [kind])
    again = opened(found.content)
    told = structural_similarity(np.asarray(PHOTO), again.pixels, channel_axis=2)
    assert found.similarity == pytest.approx(told, abs=1e-4) and told >= 0.95
    assert found.content == compress(content, [kind]).content
    assert len(found.content) <= len(content)
    assert again.format == found.kind == kind


def test_the_lowest_quality_that_keeps_the_similarity_is_taken() -> None:
    found = compress_pixels(np.asarray(PHOTO), ["JPEG"])
    assert found.quality is not None and found.quality < 95
    lower = written(PHOTO, "JPEG", quality=found.quality - 1, optimize=True, progressive=True)
    assert structural_similarity(np.asarray(PHOTO), opened(lower).pixels, channel_axis=2) < 0.95


def test_the_original_stays_where_nothing_is_smaller() -> None:
    poor = written(PHOTO, "JPEG", quality=1, exif=exif(), optimize=True, progressive=True)
    found = compress(poor, ["JPEG"])
    assert found.original and (found.quality, found.similarity) == (None, 1)
    assert len(found.content) < len(poor) and b"secret" not in found.content
    np.testing.assert_array_equal(opened(found.content).pixels, opened(poor).pixels)


def test_a_picture_that_exif_turns_is_written_upright() -> None:
    content = written(PHOTO, "JPEG", quality=8, exif=exif(turned=6))
    found = compress(content, ["JPEG"])
    image = Image.open(io.BytesIO(found.content))
    assert not found.original and image.size == PHOTO.size[::-1] and not image.getexif()


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("I;16", "PNG"), ("P", "GIF"), ("L", "PNG")])
def test_unusual_pictures_become_srgb(mode: str, kind: str) -> None:
    grey = np.asarray(PHOTO.convert("L"))
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else PHOTO.convert(mode)
    content = written(image, kind)
    found = compress(content, ["JPEG", "WEBP"])
    assert Image.open(io.BytesIO(found.content)).mode == "RGB"
    assert structural_similarity(opened(content).pixels, opened(found.content).pixels, channel_axis=2) >= 0.95


def test_transparency_stays_where_it_can() -> None:
    image = PHOTO.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    content = written(image, "PNG")
    for kind in ("WEBP", "AVIF", "PNG"):
        found = compress(content, ["JPEG", kind])
        there, before = opened(found.content), opened(content)
        assert found.kind == kind and not found.notes and there.alpha is not None and before.alpha is not None
        assert np.abs(there.alpha.astype(int) - before.alpha).mean() < 4
    flat = compress(content, ["JPEG"])
    assert flat.notes == ("transparent parts became white",) and flat.similarity >= 0.95


def test_colours_that_jpeg_would_halve_stay() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (255, 0, 0), (0, 0, 255)
    found = compress_pixels(stripes, ["JPEG"])
    assert found.similarity >= 0.95 and Image.open(io.BytesIO(found.content)).layer[0][1:3] == (1, 1)


def test_an_animation_and_what_is_no_picture_are_refused() -> None:
    moving = written(PHOTO, "WEBP", save_all=True, append_images=[PHOTO.rotate(90)], duration=50)
    with pytest.raises(InvalidPicture, match="expected a still picture, got 2 frames"):
        compress(moving)
    with pytest.raises(InvalidPicture):
        compress(b"nothing")
    with pytest.raises(ValueError, match="kinds: expected some of"):
        compress(written(PHOTO, "PNG"), [])


def test_a_damaged_or_tiny_picture_is_no_trouble() -> None:
    tiny = compress(written(Image.new("RGB", (2, 1), "red"), "PNG", pnginfo=None))
    assert opened(tiny.content).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("names", [["shoe", "shoe", "1-shoe"], ["1-a", "a", "a", "2-a"], ["a"] * 11 + ["1-a"]])
def test_names_that_are_alike_become_distinct_ones(names: list[str]) -> None:
    found = own_names(names)
    assert len({*found}) == len(names) and all(one.endswith(name) for one, name in zip(found, names, strict=True))
    assert own_names(["1-a", "a"]) == ["1-a", "a"]
