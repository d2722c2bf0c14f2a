"""Logos found in photographs, and false alarms, at the threshold that is shipped.

Icons are drawn on photographs of packages and of groceries: a width of 6 to 25% of the picture's, turned by up to 30
degrees, up to 30% of them covered by another photograph from one side, in the brand's colour, white or black (what
contrasts by 2:1 at least with what is behind), and saved as JPEG of quality 85. Pictures without a logo of 20 brands
are plain photographs and, every other one, photographs with an icon of another brand. The threshold was set on pictures
of another seed.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.stats import beta

from features.settings import Settings
from models.image.aesthetics.text_contrast import ratio_of
from models.image.box import Box
from models.image.lettering import Lettering
from models.image.logos import logos, of_brand
from models.image.picture import Picture, opened

GROCERIES = Path(__file__).parents[2].parent / "shared/data/grocery_store/images"
OF_PACKAGES = {
    "skimage": [
        f"data/{name}"
        for name in ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "brick.png")
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
}
BRANDS = (
    *("Nike", "adidas", "Apple", "Starbucks", "McDonald's", "Spotify", "Visa", "Toyota", "BMW", "Puma"),
    *("Shell", "Netflix", "Airbnb", "Samsung", "Tesla", "DHL", "IKEA", "Target", "YouTube", "MasterCard"),
)
#: Pictures with a logo, and without one; the seed that the threshold was not set on.
WITH, WITHOUT, SEED = 120, 200, 1
SIDE = 1080
#: Part of a logo's box and of what was found that must be common.
SAME = 0.4


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Share of logos found at their place, and pictures of 100 without a logo in which one is found."""
    rng, photos = np.random.default_rng(SEED), _photos()
    find = partial(logos, marks=[of_brand(brand) for brand in BRANDS], lettering=Lettering())
    hits = []
    for place in range(WITH):
        brand = BRANDS[place % len(BRANDS)]
        picture, box = drawn(photos, brand, rng)
        hits.append(any(one.brand == brand and one.box.iou(box) >= SAME for one in find(picture)))
    told = {"data_hash": hashlib.sha256(b"".join(photos)).hexdigest(), "seed": SEED}
    said = f"{WITH} photographs with one of {len(BRANDS)} brands' icons, 95% interval"
    yield {"name": "vision.logo.recall", **_share(hits), "goal": ">= .85", "unit": said, **told}
    others = _other_brands()
    alarms = []
    for place in range(WITHOUT):
        if place % 2:
            picture, _ = drawn(photos, others[rng.integers(len(others))], rng)
        else:
            picture = _opened(_square(photos, rng))
        alarms.append(bool(find(picture)))
    alarmed = {name: 100 * part for name, part in _share(alarms).items()}
    said = f"of 100 pictures without these brands, 95% interval; {WITHOUT} pictures"
    yield {"name": "vision.logo.false_alarms", **alarmed, "unit": said, **told}


def drawn(photos: Sequence[bytes], brand: str, rng: np.random.Generator) -> tuple[Picture, Box]:
    """A photograph with a brand's icon on it, and the box around the icon."""
    image, other = _square(photos, rng), _square(photos, rng)
    shape, colour = _icon(brand)
    width = rng.uniform(0.06, 0.25) * SIDE
    shape = shape.resize(
        (max(1, round(width)), max(1, round(shape.height * width / shape.width))), Image.Resampling.LANCZOS
    )
    hidden = Image.new("L", shape.size)
    hidden.paste(255, _one_side(shape.size, rng.uniform(0, 0.3), int(rng.integers(4))))
    angle = rng.uniform(-30, 30)
    shape = shape.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    hidden = hidden.rotate(angle, expand=True)
    left, top = (int(rng.integers(0, SIDE - side)) for side in shape.size)
    area = (left, top, left + shape.width, top + shape.height)
    behind = np.asarray(image.crop(area))[np.asarray(shape) > 30].mean(axis=0)
    colours = [colour, (255, 255, 255), (0, 0, 0)]
    ratios = [ratio_of(np.array(one, float), behind) for one in colours]
    seen = [one for one, ratio in zip(colours, ratios, strict=True) if ratio >= 2] or [colours[int(np.argmax(ratios))]]
    image.paste(seen[rng.integers(len(seen))], area, shape)
    image.paste(other.crop(area), area, hidden)
    return _opened(image), Box(brand, 1.0, *shape_box(shape, left, top))


def shape_box(shape: Image.Image, left: int, top: int) -> tuple[int, int, int, int]:
    """The box of what is opaque, in the picture."""
    inner = shape.point(lambda value: 255 * (value > 127)).getbbox() or (0, 0, *shape.size)
    return left + inner[0], top + inner[1], left + inner[2], top + inner[3]


def _photos() -> list[bytes]:
    found = []
    for package, files in OF_PACKAGES.items():
        folder = Path(str(getattr(find_spec(package), "origin", ""))).parent
        found += [(folder / file).read_bytes() for file in files]
    if GROCERIES.is_dir():
        every = sorted(GROCERIES.rglob("*.jpg"))
        found += [file.read_bytes() for file in every[:: len(every) // 150]]
    return found


def _square(photos: Sequence[bytes], rng: np.random.Generator) -> Image.Image:
    """The largest square at a place of a photograph."""
    with Image.open(io.BytesIO(photos[rng.integers(len(photos))])) as photo:
        image = photo.convert("RGB")
    side = min(image.size)
    left, top = (int(rng.integers(0, length - side + 1)) for length in image.size)
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _opened(image: Image.Image) -> Picture:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return opened(file.getvalue())


def _icon(brand: str) -> tuple[Image.Image, tuple[int, ...]]:
    """The opaque part of an icon, and the brand's colour."""
    import resvg_py
    from simple_icons_pack import get_icon

    from models.image.logos.mark import slug

    icon = get_icon(slug(brand))
    assert icon is not None
    image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(icon.svg, width=768, skip_system_fonts=True)))
    opaque = image.convert("RGBA").getchannel("A")
    return opaque.crop(opaque.getbbox()), tuple(int(icon.hex[place : place + 2], 16) for place in (0, 2, 4))


def _other_brands() -> list[str]:
    import simple_icons_pack

    from models.image.logos.mark import slug

    every = [getattr(simple_icons_pack, name) for name in sorted(dir(simple_icons_pack)) if name.startswith("SI_")]
    own = {slug(brand) for brand in BRANDS}
    return [icon.title for icon in every if icon.slug == slug(icon.title) and icon.slug not in own]


def _one_side(size: tuple[int, int], part: float, side: int) -> tuple[int, int, int, int]:
    width, height = size
    across, down = round(part * width), round(part * height)
    return [
        (0, 0, across, height),
        (width - across, 0, width, height),
        (0, 0, width, down),
        (0, height - down, width, height),
    ][side]


def _share(found: Sequence[bool]) -> dict[str, float]:
    """A share with its interval (Clopper and Pearson, 1934)."""
    hits, count = sum(found), len(found)
    low = float(beta.ppf(0.025, hits, count - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, count - hits)) if hits < count else 1.0
    return {"value": hits / count, "low": low, "high": high}
