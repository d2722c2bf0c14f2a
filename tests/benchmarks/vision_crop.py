"""What crops keep of labelled animals, beside the best crop there is, the central one and smartcrop.js's.

The labels are not told to the cropper, unless a row says so. Half of the photographs served to choose its weights;
figures are of the other half.
"""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from features.settings import Settings
from models.image.box import EDGES, Box
from models.image.detector import things
from models.image.lettering import lettering
from models.image.picture import Picture, opened
from models.image.saliency import saliency
from serving.images.crop import crop
from serving.images.texts import uncut
from serving.images.window import attention, best
from tests.benchmarks.vision_detector import PEERS

DATA = Path(__file__).parents[2].parent / "shared/data/raccoon_detection"
RATIOS = {"1:1": 1.0, "4:5": 0.8, "1.91:1": 1.91, "9:16": 9 / 16}
KEPT, PADDED = "vision.crop.kept_of_possible", "vision.crop.infeasible_padded"
NAMES = (KEPT, f"{KEPT}.centre", f"{KEPT}.smartcrop", PADDED)
#: Share of its animals that a crop must be able to keep; below it the picture must be padded.
HELD = 0.9
#: smartcrop.js reduces pictures to this shorter side before it looks at them.
SIDE, SEED, RESAMPLED = 256, 0, 1000
#: Height of crops.
SIZE = 1000

Counts = npt.NDArray[np.int64]
Starts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Photo:
    """A photograph, and the boxes of its animals."""

    content: bytes
    boxes: tuple[Box, ...]

    @cached_property
    def picture(self) -> Picture:
        return opened(self.content)

    @cached_property
    def found(self) -> list[Box]:
        return things(self.picture)

    @cached_property
    def texts(self) -> list[Box]:
        return uncut(lettering(self.picture).lines, self.picture)

    def across(self, ratio: float) -> bool:
        """Whether crops of a ratio differ by their left edge; else by their upper one."""
        return round(self.picture.height * ratio) < self.picture.width

    def kept(self, ratio: float) -> Counts:
        """Pixels of the animals that the largest crops of a ratio keep, by the pixel that they begin at."""
        width, height = self.picture.width, self.picture.height
        there = np.zeros((height, width), bool)
        for box in self.boxes:
            left, top, right, bottom = (max(0, int(edge)) for edge in box.place)
            there[top:bottom, left:right] = True
        length = round(height * ratio) if self.across(ratio) else min(height, round(width / ratio))
        sums = np.concatenate([[0], np.cumsum(there.sum(axis=0 if self.across(ratio) else 1))])
        return sums[length:] - sums[:-length]

    @cached_property
    def animals(self) -> int:
        """Pixels of the animals."""
        return int(self.kept(self.picture.width / self.picture.height)[0])


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Kept shares, and whether pictures are padded in which no crop keeps most of the animals."""
    if not DATA.is_dir():
        yield from ({"name": name, "absent": f"{DATA.name} is not there"} for name in NAMES)
        return
    photos = list(read())
    told = {"data_hash": hashlib.sha256(b"".join(photo.content for photo in photos)).hexdigest(), "seed": SEED}
    other, ratios = photos[1::2], list(RATIOS.values())
    ours = shares(other, np.array([[_ours(photo, ratio) for ratio in ratios] for photo in other]))
    centre = np.array([[(len(photo.kept(ratio)) - 1) / 2 for ratio in ratios] for photo in photos])
    middle, missing = shares(other, centre[1::2]), _missing()
    peer = None if missing else shares(other, _by_smartcrop(other, ratios))
    beat = float(max(middle.mean(), 0.0 if peer is None else peer.mean()))
    yield _row(KEPT, ours) | {"goal": f">= .90, > {beat:.4f}", "baseline": beat} | told
    yield _row(f"{KEPT}.centre", middle, _whole(photos, centre)) | told
    yield {"name": f"{KEPT}.smartcrop", "absent": missing} if peer is None else _row(f"{KEPT}.smartcrop", peer) | told
    yield _padded(photos) | told


def read() -> Iterator[Photo]:
    """All photographs by their names, with their Pascal VOC boxes."""
    for file in sorted((DATA / "annotations").glob("*.xml")):
        places = ElementTree.parse(file).getroot().iter("bndbox")  # noqa: S314 - our own data
        edges = [
            [float(place.findtext(f"{axis}{end}", "")) for end in ("min", "max") for axis in "xy"] for place in places
        ]
        boxes = tuple(Box("raccoon", 1.0, **dict(zip(EDGES, one, strict=True))) for one in edges)
        yield Photo((DATA / "images" / f"{file.stem}.jpg").read_bytes(), boxes)


def shares(photos: Sequence[Photo], starts: Starts) -> Starts:
    """What crops that begin there keep, over what the best ones would: (photos, ratios)."""
    kept = [
        [
            (by[int(np.clip(round(at), 0, len(by) - 1))] / by.max())
            for at, by in zip(begun, map(photo.kept, RATIOS.values()), strict=True)
        ]
        for photo, begun in zip(photos, starts, strict=True)
    ]
    return np.array(kept, dtype=float)


def _ours(photo: Photo, ratio: float) -> float:
    """Where the cropper's own crop begins; where it would pad or refuse, the one that it would make if it had to."""
    made = crop(photo.picture, (round(SIZE * ratio), SIZE), (), photo.found, photo.texts)
    window = made.window
    if made.padded or made.pixels is None:
        width, height = float(photo.picture.width), float(photo.picture.height)
        worth = attention(saliency(photo.picture), width, height, [*photo.found, *photo.texts])
        window = best(worth, width, height, ratio)
    return window.left if photo.across(ratio) else window.top


def _by_smartcrop(photos: Sequence[Photo], ratios: Sequence[float]) -> Starts:
    from PIL import Image

    asked, scales = [], []
    for photo in photos:
        scale = min(1.0, max(SIDE / photo.picture.width, SIDE / photo.picture.height))
        size = round(photo.picture.width * scale), round(photo.picture.height * scale)
        small = Image.fromarray(photo.picture.pixels).resize(size, Image.Resampling.LANCZOS).convert("RGBA")
        data = base64.b64encode(small.tobytes()).decode()
        asked.append({"width": size[0], "height": size[1], "data": data, "ratios": list(ratios)})
        scales.append(scale)
    command = ["node", str(Path(__file__).parent / "node/smartcrop.mjs"), str(PEERS)]
    told = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True).stdout
    return np.array(
        [
            [one["x" if photo.across(ratio) else "y"] / scale for one, ratio in zip(found, ratios, strict=True)]
            for photo, scale, found in zip(photos, scales, json.loads(told), strict=True)
        ]
    )


def _missing() -> str | None:
    """Why smartcrop.js cannot be run; None where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    there = (PEERS / "node_modules/smartcrop").is_dir()
    return None if there else "smartcrop.js is not there: make benchmark installs it by npm"


def _row(name: str, found: Starts, more: str = "") -> dict[str, Any]:
    draws = found[np.random.default_rng(SEED).integers(len(found), size=(RESAMPLED, len(found)))].mean(axis=(1, 2))
    low, high = np.quantile(draws, [0.025, 0.975])
    by_ratio = ", ".join(f"{ratio} {share:.3f}" for ratio, share in zip(RATIOS, found.mean(axis=0), strict=True))
    unit = f"share of the best crop, {len(found)} photographs; {by_ratio}{more}"
    return {"name": name, "value": float(found.mean()), "low": float(low), "high": float(high), "unit": unit}


def _whole(photos: Sequence[Photo], centre: Starts) -> str:
    """In how many of all photographs the central and the best crop keep the animals whole."""
    kept = [[photo.kept(ratio) / photo.animals for ratio in RATIOS.values()] for photo in photos]
    middle = np.array(
        [[by[int(at)] for by, at in zip(one, begun, strict=True)] for one, begun in zip(kept, centre, strict=True)]
    )
    possible = np.array([[by.max() for by in one] for one in kept])
    shown = [", ".join(f"{share:.0%}" for share in (one > 0.999).mean(axis=0)) for one in (middle, possible)]
    return f"; of all {len(photos)} it keeps the whole box in {shown[0]}, the best crop in {shown[1]}"


def _padded(photos: Sequence[Photo]) -> dict[str, Any]:
    """Of the crops that cannot hold the animals the share that is padded or refused, when their boxes are given."""
    given, found = [], []
    for photo in photos:
        for ratio in RATIOS.values():
            if photo.kept(ratio).max() < HELD * photo.animals:
                size = (round(SIZE * ratio), SIZE)
                made = crop(photo.picture, size, photo.boxes, photo.found, photo.texts)
                given.append(made.pixels is None or (made.padded and made.kept is not None and made.kept > 0.999))
                made = crop(photo.picture, size, (), photo.found, photo.texts)
                found.append(made.pixels is None or made.padded)
    told = f"share of {len(given)} crops with the box given, none of it cut; {np.mean(found):.2f} by what is detected"
    return {"name": PADDED, "value": float(np.mean(given)), "goal": ">= 1", "unit": told}
