"""An example of what `adloop image` draws, for the report: a packaged photograph with two headlines, as an ad."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from features.settings import Settings
from models.image.overlay import encoded
from models.image.picture import opened
from models.image.traits import LONGEST
from serving.images.analysis import analyse
from serving.images.compress import saved
from serving.images.formats import image_format
from serving.images.optimise import optimised
from serving.images.overlays import overlays

#: The photograph, and where each headline stands, in shares of width and height, with its size in pixels.
PACKAGE, FILE, WIDTH = "sklearn", "datasets/images/china.jpg", 1080
HEADLINES = (("Summer in Beijing", (0.055, 0.04), 84), ("Flights from 399", (0.055, 0.83), 64))
#: Drawings of the analysis, and formats that it is cropped to.
SHOWN, FORMATS = ("text", "composition", "colour", "calm"), ("meta.square", "meta.stories")
QUALITY = 80


@dataclass(frozen=True)
class ExampleDrawing:
    """A drawing, a JPEG, and what it shows."""

    name: str
    content: bytes


def draw_example(settings: Settings) -> None:
    """Draw the example anew under `settings.home`, for `drawings`."""
    ad = _ad()
    found = overlays(analyse(opened(ad, LONGEST)))
    made = {name: found[name] for name in SHOWN}
    made |= {one.form.id: one.overlay for one in optimised(ad, [image_format(name) for name in FORMATS])}
    folder = _folder(settings)
    for name, pixels in made.items():
        saved(encoded(pixels, "JPEG", quality=QUALITY), folder / f"{name}.jpg")
    saved(json.dumps(list(made)).encode(), folder / "drawings.json")


def drawings(settings: Settings) -> tuple[ExampleDrawing, ...]:
    """The drawings of the example; none where it was not drawn."""
    folder = _folder(settings)
    if not (folder / "drawings.json").is_file():
        return ()
    names = json.loads((folder / "drawings.json").read_text())
    return tuple(ExampleDrawing(name, (folder / f"{name}.jpg").read_bytes()) for name in names)


def _ad() -> bytes:
    """The photograph with its headlines, as a PNG."""
    from PIL import Image, ImageDraw, ImageFont

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the example needs the package {PACKAGE}")
    with Image.open(Path(spec.origin).parent / FILE) as photograph:
        height = round(photograph.height * WIDTH / photograph.width)
        image = photograph.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(image)
    for text, (across, down), size in HEADLINES:
        pen.text((across * WIDTH, down * height), text, fill="white", font=ImageFont.load_default(size))
    return encoded(np.asarray(image))


def _folder(settings: Settings) -> Path:
    return settings.home / "pictures" / "example"
