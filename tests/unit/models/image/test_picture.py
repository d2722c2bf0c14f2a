"""Opening pictures: whatever people upload is a right picture or a clear refusal."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageCms

from models.image.picture import InvalidPicture, Picture, opened

PHOTO = Path(skimage.__file__).parent / "data" / "rocket.jpg"


def written(image: Image.Image, kind: str, **more) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def corners(width: int = 40, height: int = 20) -> Image.Image:
    """Red above left, green above right, blue below left, white below right."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return Image.fromarray(pixels)


def near(picture: Picture, place: tuple[int, int], colour: tuple[int, int, int], off: int = 12) -> bool:
    return bool(np.abs(picture.pixels[place].astype(int) - colour).max() <= off)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_every_kind_is_read(kind):
    picture = opened(written(corners(), kind, **({"quality": 100} if kind in ("JPEG", "WEBP", "AVIF") else {})))
    assert (picture.format, picture.width, picture.height, picture.scale) == (kind, 40, 20, 1.0)
    assert near(picture, (2, 2), (255, 0, 0), 40)
    assert near(picture, (17, 2), (0, 0, 255), 40)
    assert picture.alpha is None
    assert picture.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_it_is_upright_whatever_the_camera_was(kind, orientation):
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # from upright to how the camera stores it
    stored = corners() if orientation == 1 else corners().transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = opened(written(stored, kind, exif=exif, **({"quality": 100} if kind != "TIFF" else {})))
    assert (picture.width, picture.height) == (40, 20)
    assert picture.pixels.shape == (20, 40, 3)
    assert near(picture, (2, 2), (255, 0, 0), 40)
    assert near(picture, (2, 37), (0, 255, 0), 40)
    assert near(picture, (17, 2), (0, 0, 255), 40)


def test_cmyk_is_converted():
    picture = opened(written(corners().convert("CMYK"), "JPEG", quality=100))
    assert near(picture, (2, 2), (255, 0, 0), 12)
    assert "converted from CMYK" in picture.notes


def test_sixteen_bits_keep_their_brightness():
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        picture = opened(written(Image.fromarray(values), kind))
        assert np.abs(picture.pixels[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1


def test_floating_point_numbers_are_refused():
    with pytest.raises(InvalidPicture, match="expected 8 or 16 bits a channel, got floating-point"):
        opened(written(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"))


@pytest.mark.parametrize("image", [corners().convert("P"), corners().convert("L"), corners().convert("1")])
def test_palettes_greys_and_bits_become_colours(image):
    assert opened(written(image, "PNG")).pixels.shape == (20, 40, 3)


def test_what_is_transparent_is_as_on_white():
    image = corners().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), [20, 20], axis=1).repeat(20, axis=0)))
    picture = opened(written(image, "PNG"))
    assert near(picture, (2, 2), (255, 255, 255), 0)
    assert near(picture, (2, 37), (0, 255, 0), 0)
    assert picture.alpha is not None
    assert picture.alpha[0, 0] == 0
    assert picture.alpha[0, 39] == 255


def test_a_transparent_palette_is_as_on_white():
    image = corners().quantize(4)
    red = image.getpixel((0, 0))
    picture = opened(written(image, "GIF", transparency=red))
    assert near(picture, (2, 2), (255, 255, 255), 0)


def test_the_first_frame_of_an_animation_is_read():
    frames = [corners(), corners().rotate(180)]
    picture = opened(written(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert picture.frames == 2
    assert picture.notes == ("first of 2 frames",)
    assert near(picture, (2, 2), (255, 0, 0), 12)


def test_colours_of_a_profile_become_srgb():
    wide = ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(corners(), ImageCms.createProfile("sRGB"), wide, outputMode="LAB")
    content = written(lab, "TIFF", icc_profile=ImageCms.ImageCmsProfile(wide).tobytes())
    assert near(opened(content), (2, 2), (255, 0, 0), 6)


def test_a_damaged_profile_is_told():
    picture = opened(written(corners(), "PNG", icc_profile=b"no profile"))
    assert picture.notes == ("its colour profile cannot be read: taken as sRGB",)
    assert near(picture, (2, 2), (255, 0, 0), 0)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "none"),
        (b"A text called picture.jpg.\n", "a text"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\n  <svg onload='alert(1)'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
        (b"%PDF-1.7 ", "a PDF"),
        (bytes(range(256)), "another kind of file"),
    ],
)
def test_what_is_no_picture_is_refused(content, got):
    with pytest.raises(InvalidPicture, match=f"^picture: expected .*, got {got}"):
        opened(content)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_truncated_file_is_refused(kind, share):
    content = written(Image.open(PHOTO), kind)
    with pytest.raises(InvalidPicture, match="expected"):
        opened(content[: int(len(content) * share)])


def test_a_decompression_bomb_is_refused_by_its_header():
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(InvalidPicture, match="at most 120 million pixels"):
        opened(bomb)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_thin_pictures_are_read(size):
    content = written(Image.new("RGB", size, "red"), "PNG")
    assert opened(content).pixels.shape == (size[1], size[0], 3)
    assert opened(content, longest=100).pixels.shape == (min(size[1], 100), min(size[0], 100), 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_reduced_and_knows_its_size(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = written(corners(4000, 2000), kind, exif=exif)
    picture = opened(content, longest=500)
    assert (picture.width, picture.height) == (2000, 4000)
    assert picture.pixels.shape == (500, 250, 3)
    assert picture.scale == 0.125
    assert near(picture, (20, 20), (0, 0, 255), 20)


def test_the_same_bytes_give_the_same_picture():
    content = PHOTO.read_bytes()
    first, second = opened(content, 300), opened(content, 300)
    assert (first.pixels == second.pixels).all()
    assert first.sha256 == second.sha256
