"""Each format gets a file that fits it, or a reason; through the commands too."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import skimage
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw, ImageFont

from models.image.box import Box
from models.image.lettering import Lettering, TextLine, lettering
from models.image.picture import InvalidPicture, opened
from pipelines.cli import main
from serving.images import contents
from serving.images.formats import image_format
from serving.images.optimise import optimised

PHOTOS = Path(skimage.__file__).parent / "data"
PRODUCT = Box("product", 1, 60, 60, 540, 340)


def ad(width: int = 600, height: int = 400, kind: str = "JPEG", **options: Any) -> bytes:
    """A green product on grey, with the position where it was taken."""
    image, exif, to = Image.new("RGB", (width, height), (180, 180, 180)), Image.Exif(), io.BytesIO()
    image.paste((0, 255, 0), tuple(map(int, PRODUCT.place)))
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    image.save(to, kind, exif=exif, **options)
    return to.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("ads")
    (found / "shoe.jpg").write_bytes(ad())
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLOOP_HOME", str(tmp_path / "home"))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["image", *map(str, words)])


def test_a_product_is_whole_in_each_format_and_no_metadata_is_left() -> None:
    forms = [image_format(name) for name in ("meta.stories", "google.landscape")]
    for one in optimised(ad(), forms, [PRODUCT]):
        assert one.file is not None and one.checked is not None and one.crop.kept == pytest.approx(1)
        with Image.open(io.BytesIO(one.file.content)) as image:
            assert image.width / image.height == pytest.approx(one.form.ratio, rel=one.form.tolerance)
            assert not image.getexif() and not image.info.get("exif")
        told = {finding.check: finding.verdict for finding in one.checked.findings}
        assert told["safe zone"] == told["ratio"] == told["file type"] == "pass", told


def test_no_headline_of_a_photograph_is_cut() -> None:
    headlines, to = ("Summer in Beijing", "Flights from 399"), io.BytesIO()
    image = Image.open(PHOTOS / "coffee.png").convert("RGB").resize((1080, 721))
    pen = ImageDraw.Draw(image)
    for text, left, top in zip((*headlines, "photo by example"), (60, 400, 20), (20, 630, 700), strict=True):
        letters = ImageFont.load_default(12 if "photo" in text else 70)
        pen.text((left, top), text, "white", letters, stroke_width=3 * (letters.size > 20), stroke_fill="black")
    image.save(to, "PNG")
    (one,) = optimised(to.getvalue(), [image_format("linkedin.landscape")])
    assert one.file is not None and [text["label"] for text in one.as_dict()["texts"]] == list(headlines)
    read = [line.text for line in lettering(opened(one.file.content)).lines]
    assert set(headlines) <= set(read) and one.crop.reason.startswith("padded with itself, blurred: the 2 texts")


def test_nothing_is_read_in_the_padding_of_a_picture_without_text() -> None:
    (one,) = optimised((PHOTOS / "astronaut.png").read_bytes(), [image_format("meta.stories")])
    assert one.crop.background == "blur" and one.checked is not None
    told = {finding.check: finding.verdict for finding in one.checked.findings}
    assert told["text contrast"] == told["text share"] == told["safe zone"] == "pass", one.checked.wrong


@pytest.mark.parametrize(("top", "share"), [(10, "text covers 0%"), (400, "text covers 4%")])
def test_only_what_is_read_on_the_picture_itself_is_told(
    monkeypatch: pytest.MonkeyPatch, top: float, share: str
) -> None:
    line = TextLine("SALE", 0.99, ((200, top), (500, top), (500, top + 60), (200, top + 60)))
    monkeypatch.setattr(contents, "lettering", lambda picture: Lettering((line,), 0.5))
    (one,) = optimised(ad(), [image_format("meta.stories")], [PRODUCT])
    assert one.checked is not None and one.crop.padded
    assert {finding.check: finding.value for finding in one.checked.findings}["text share"] == share


def test_what_cannot_be_cropped_is_told() -> None:
    with pytest.raises(InvalidPicture, match="expected a product within 600 by 400"):
        list(optimised(ad(), [image_format("meta.square")], [Box("product", 1, 700, 0, 900, 100)]))
    moving = ad(kind="WEBP", save_all=True, append_images=[Image.new("RGB", (600, 400))])
    with pytest.raises(InvalidPicture, match="expected a still picture, got 2 frames"):
        list(optimised(moving, [image_format("meta.square")]))


def test_the_command_writes_versions_and_drawings(folder: Path) -> None:
    words = ("optimise", folder / "shoe.jpg", "--platform", "meta", "--format", "meta.link", "--out", folder / "out")
    found = run(*words, "--product", "60,60,540,340", "--json")
    assert found.exit_code == 0, found.output
    (told,) = json.loads(found.output)
    assert (told["format"], told["kept"], told["product"]["left"]) == ("meta.link", 1, 60)
    first = Path(told["file"]).read_bytes()
    # JPEG or PNG: of this picture both are small, and how well Pillow deflates depends on the processor.
    kind = (Image.open(told["file"]).format or "").lower().replace("jpeg", "jpg")
    assert Path(told["file"]).name == f"shoe.meta.link.{kind}" and len(first) == told["bytes"]
    assert Image.open(told["why"]).format == "PNG"
    assert run(*words, "--product", "60,60,540,340").exit_code == 0
    assert Path(told["file"]).read_bytes() == first
    assert {path.name for path in (folder / "out").iterdir()} == {
        f"shoe.meta.link.{kind}",
        "shoe.meta.link.why.png",
    }


def test_files_of_one_name_are_not_written_over_each_other(tmp_path: Path) -> None:
    shoes = [tmp_path / "red" / "shoe.jpg", tmp_path / "blue" / "shoe.png"]
    for shoe in shoes:
        shoe.parent.mkdir()
        shoe.write_bytes(ad(kind="PNG" if shoe.suffix == ".png" else "JPEG"))
    words = ("--platform", "meta", "--format", "meta.link", "--out", tmp_path / "out", "--product", "60,60,540,340")
    found = run("optimise", *shoes, *words, "--json")
    assert found.exit_code == 0, found.output
    names = [Path(one["file"]).name.rpartition(".")[0] for one in json.loads(found.output)]
    assert names == ["1-shoe.meta.link", "2-shoe.meta.link"] and len(list((tmp_path / "out").iterdir())) == 4


def test_the_pre_flight_fails_or_passes(folder: Path) -> None:
    failed = run("check", folder / "shoe.jpg", "--platform", "meta", "--format", "meta.stories")
    assert failed.exit_code == 1 and "is 600 by 400, 1.50:1" in failed.output and "fail" in failed.output
    passed = run("check", folder / "shoe.jpg", "--platform", "meta", "--json")
    (checked,) = json.loads(passed.output).values()
    assert passed.exit_code == 0 and (checked["format"], checked["verdict"]) == ("meta.link", "warn")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "meta.round"), "format: expected one of google.landscape"),
        (("--format", "linkedin.square"), "'linkedin.square' is of linkedin, not of meta"),
        (("--product", "1,2,3"), "expected left,top,right,bottom in pixels"),
        (("--product", "9,2,3,4"), "expected left,top,right,bottom in pixels"),
        (("--product", "0,0,nan,4"), "expected left,top,right,bottom in pixels"),
    ],
)
def test_what_is_asked_wrongly_is_told(folder: Path, words: tuple[str, ...], told: str) -> None:
    for command in ("check", "optimise"):
        found = run(command, folder / "shoe.jpg", "--platform", "meta", *words)
        assert found.exit_code == 2 and told in " ".join(found.output.replace("│", "").split())


@pytest.fixture
def some(folder: Path, tmp_path: Path) -> list[Path]:
    """A text called .jpg, no file at all, and a picture."""
    (tmp_path / "text.jpg").write_text("no picture")
    return [tmp_path / "text.jpg", tmp_path / "none.jpg", folder / "shoe.jpg"]


def test_what_cannot_be_read_is_named_and_the_others_are_written(some: list[Path], tmp_path: Path) -> None:
    words = ("optimise", *some, "--platform", "meta", "--format", "meta.link", "--out", tmp_path / "out")
    found = run(*words, "--json")
    text, missing, made = json.loads(found.stdout)
    assert found.exit_code == 1 and Path(made["file"]).exists()
    assert text == {"source": str(some[0]), "error": text["error"]} and "got a text" in text["error"]
    assert missing["error"] == "picture: expected a file that can be read, got No such file or directory"
    shown = run(*words)
    assert shown.exit_code == 1 and f"{some[0]}: {text['error']}" in shown.output


def test_what_cannot_be_read_fails_the_pre_flight_and_the_others_are_checked(some: list[Path]) -> None:
    found = run("check", *some, "--platform", "meta", "--json")
    verdicts = {Path(name).name: told["verdict"] for name, told in json.loads(found.stdout).items()}
    assert found.exit_code == 1 and verdicts == {"text.jpg": "fail", "none.jpg": "fail", "shoe.jpg": "warn"}
    shown = run("check", *some, "--platform", "meta")
    assert shown.exit_code == 1 and "No such file" in shown.output
