"""What is behind a URI: only what may be read, and never more than was asked for."""

import base64

import pytest

from features.fetch import Unreachable, content_of
from features.settings import Settings

#: URIs that urllib itself refuses to parse.
MALFORMED = ("https://[half/picture.jpg", "https://half]/picture.jpg", "file://[half", "http://a℀b/picture.jpg")


@pytest.fixture
def images(tmp_path):
    return tmp_path / "images"


@pytest.fixture
def settings(tmp_path):
    for folder in ("home", "images", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a picture.jpg").write_bytes(b"malt")
    return Settings(home=tmp_path / "home", images=str(tmp_path / "images"))


def test_files_of_the_home_and_of_the_images_are_read(settings, images):
    for folder in (settings.home, images):
        assert content_of((folder / "a picture.jpg").as_uri(), 4, settings) == b"malt"


def test_no_file_elsewhere_is_read(settings, images):
    elsewhere = settings.home.parent / "elsewhere" / "a picture.jpg"
    (images / "link.jpg").symlink_to(elsewhere)
    for uri in (
        elsewhere.as_uri(),
        "file:///etc/passwd",
        f"{images.as_uri()}/../elsewhere/a%20picture.jpg",
        f"{images.as_uri()}/%2e%2e/elsewhere/a%20picture.jpg",
        (images / "link.jpg").as_uri(),
    ):
        with pytest.raises(Unreachable, match="expected a file in the folder ADLOOP_IMAGES"):
            content_of(uri, 100, settings)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("file://server/share/picture.jpg", "a file of this machine"),
        ("picture.jpg", "expected a URI of https, s3, data or file"),
        ("s3://bucket/picture.jpg", "expected an object under ADLOOP_IMAGES"),
        ("ftp://example.org/picture.jpg", "expected a URI of https, s3, data or file"),
        ("https://shop..example/picture.jpg", "no such host"),
        (f"https://{'a' * 64}.example/picture.jpg", "no such host"),
        ("http://127.0.0.1/picture.jpg", "private address"),
        ("http://169.254.169.254/latest/meta-data", "private address"),
        ("http://[::1]/picture.jpg", "private address"),
        ("http://[::ffff:10.0.0.1]/picture.jpg", "private address"),
        *((uri, "expected a URI of https, s3, data or file") for uri in MALFORMED),
        ("data:image/png;base64", "expected data:"),
        ("data:image/png;base64,%%%", "expected data:"),
    ],
)
def test_what_must_not_be_asked_is_not(settings, uri, why):
    with pytest.raises(Unreachable, match=why):
        content_of(uri, 100, settings)


def test_a_folder_and_a_missing_file_are_no_pictures(settings, images):
    for uri in (images.as_uri(), f"{images.as_uri()}/none.jpg"):
        with pytest.raises(Unreachable, match="no such file"):
            content_of(uri, 100, settings)


def test_pictures_in_the_uri_itself(settings):
    written = base64.b64encode(bytes(range(9))).decode()
    assert content_of(f"data:image/png;base64,{written}", 9, settings) == bytes(range(9))
    assert content_of("data:text/plain,a%20b", 9, settings) == b"a b"


def test_no_more_than_asked_for_is_read(settings, images):
    long = f"data:image/png;base64,{base64.b64encode(bytes(9000)).decode()}"
    for uri in ((images / "a picture.jpg").as_uri(), long):
        with pytest.raises(Unreachable, match="is larger than 3 bytes") as refused:
            content_of(uri, 3, settings)
        assert len(str(refused.value)) < 300
