"""Where the shape of a mark lies in a picture: places are proposed by SIFT and judged by the edges of the mark.

One pair of alike SIFT features (Lowe, "Distinctive image features from scale-invariant keypoints", 2004) tells scale,
turn and place of the whole mark. Marks have few features, so each pair is a proposal of its own. A proposal is judged
by how many points along the mark's edges have the mark's one colour inside and another outside; what is covered or
beyond the picture's border lowers the score but does not end it.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from models.image.logos.mark import Mark, Points
from models.image.picture import Pixels

#: Longer side of the picture in which marks are looked for.
SIDE = 1080
#: Most alike features of marks that each feature of the picture is paired with.
PAIRS = 600
#: Proposals for a mark that are refined, and the rounds and tries of that.
REFINED, ROUNDS, TRIES = 12, 4, 40
#: Lab distances within which colours are the same, and from which they are apart.
SAME, APART = 14.0, 26.0
#: Smallest width of a mark as a share of the picture's.
SMALLEST = 0.04

#: Rows of a similarity: x' = a x - b y + c, y' = b x + a y + d, from pixels of a mark's shape to those of the picture.
Poses = npt.NDArray[np.float64]
Lab = npt.NDArray[np.float32]
#: Of SIFT features, rows of x, y, size and angle in degrees; and their square-rooted descriptions.
Frames, Described = npt.NDArray[np.float64], npt.NDArray[np.float32]


@dataclass(frozen=True)
class SearchedPicture:
    """What is needed of a picture: Lab colours (height, width, 3), and its SIFT features."""

    lab: Lab
    frames: Frames
    described: Described


def seen(pixels: Pixels) -> SearchedPicture:
    """A picture, or its reduction to `SIDE`, as `best` reads it."""
    import cv2

    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    frames, described = _features(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
    return SearchedPicture(np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.6), np.float32), frames, described)


def best(picture: SearchedPicture, mark: Mark) -> tuple[float, Poses]:
    """The best pose of a mark in a picture and its score from 0 to 1."""
    proposals = _proposals(picture, mark)
    if not len(proposals):
        return 0.0, np.zeros(4)
    scores = judged(picture.lab, mark, proposals, every=6)
    top = proposals[np.argsort(-scores, kind="stable")[:REFINED]]
    return _refined(picture.lab, mark, top)


def judged(lab: Lab, mark: Mark, poses: Poses, every: int = 1) -> npt.NDArray[np.float64]:
    """Score of each pose, by one in `every` points of the mark's edges."""
    edges, normals = mark.edges[::every], mark.normals[::every]
    scale = np.hypot(poses[:, 0], poses[:, 1])[:, None, None]
    step = np.maximum(2.0, 1.3 / scale)
    inner, within = _colours(lab, poses, edges - step * normals)
    outer, _ = _colours(lab, poses, edges + step * normals)
    own = np.median(inner, axis=1, keepdims=True)
    same = np.exp(-((np.linalg.norm(inner - own, axis=2) / SAME) ** 2))
    apart = 1 - np.exp(-((np.linalg.norm(outer - own, axis=2) / APART) ** 2))
    counted = within.sum(axis=1)
    score = np.where(within, same * apart, 0).sum(axis=1) / np.maximum(counted, 1)
    return np.where(counted >= len(edges) / 2, score, 0.0)


def _proposals(picture: SearchedPicture, mark: Mark) -> Poses:
    frames, described = _features_of(mark)
    if not len(described) or not len(picture.described):
        return np.empty((0, 4))
    alike = picture.described @ described.T
    likest = np.argpartition(-alike, min(PAIRS, alike.size - 1), axis=None)[:PAIRS]
    feature, own = np.unravel_index(likest, alike.shape)
    mine, theirs = frames[own], picture.frames[feature]
    scale, turn = theirs[:, 2] / mine[:, 2], np.radians(theirs[:, 3] - mine[:, 3])
    a, b = scale * np.cos(turn), scale * np.sin(turn)
    poses = np.stack(
        [a, b, theirs[:, 0] - a * mine[:, 0] + b * mine[:, 1], theirs[:, 1] - b * mine[:, 0] - a * mine[:, 1]], axis=1
    )
    size = scale * max(mark.shape.shape)
    return poses[(size > SMALLEST * picture.lab.shape[1]) & (size < 1.2 * picture.lab.shape[1])]


def _refined(lab: Lab, mark: Mark, poses: Poses) -> tuple[float, Poses]:
    """The best of the poses and of small changes to them, drawn from a fixed seed."""
    rng = np.random.default_rng(0)
    spread = 1.0
    middle = np.array(mark.shape.shape[::-1]) / 2
    for _ in range(ROUNDS):
        tried = np.concatenate([poses[:, None], _shaken(poses, middle, spread, rng)], axis=1)
        scores = judged(lab, mark, tried.reshape(-1, 4), every=2).reshape(tried.shape[:2])
        chosen = scores.argmax(axis=1)
        poses = tried[np.arange(len(tried)), chosen]
        kept = np.argsort(-scores.max(axis=1), kind="stable")[: max(2, len(poses) // 2)]
        poses, spread = poses[kept], spread / 2
    final = judged(lab, mark, poses)
    return float(final.max()), poses[final.argmax()]


def _shaken(poses: Poses, middle: npt.NDArray[np.float64], spread: float, rng: np.random.Generator) -> Poses:
    grow = np.exp(rng.normal(0, 0.06 * spread, (len(poses), TRIES)))
    turn = rng.normal(0, 0.06 * spread, grow.shape)
    a, b = poses[:, None, 0], poses[:, None, 1]
    cos, sin = grow * np.cos(turn), grow * np.sin(turn)
    new_a, new_b = a * cos - b * sin, b * cos + a * sin
    x = a * middle[0] - b * middle[1] + poses[:, None, 2]
    y = b * middle[0] + a * middle[1] + poses[:, None, 3]
    size = np.hypot(a, b) * 2 * middle.max()
    x = x + rng.normal(0, 0.03 * spread, grow.shape) * size
    y = y + rng.normal(0, 0.03 * spread, grow.shape) * size
    return np.stack(
        [new_a, new_b, x - new_a * middle[0] + new_b * middle[1], y - new_b * middle[0] - new_a * middle[1]], axis=2
    )


def _colours(lab: Lab, poses: Poses, points: Points) -> tuple[Lab, npt.NDArray[np.bool_]]:
    """Colours at points of the mark in each pose, (poses, points, 3), and which of them are within the picture."""
    x = poses[:, None, 0] * points[..., 0] - poses[:, None, 1] * points[..., 1] + poses[:, None, 2]
    y = poses[:, None, 1] * points[..., 0] + poses[:, None, 0] * points[..., 1] + poses[:, None, 3]
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    height, width = lab.shape[:2]
    within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return lab[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], within


@cache
def _features_of(mark: Mark) -> tuple[Frames, Described]:
    """Features of the mark brighter than its ground, and darker."""
    pair = [_features(shape) for shape in (mark.shape, 255 - mark.shape)]
    return np.concatenate([frames for frames, _ in pair]), np.concatenate([described for _, described in pair])


def _features(grey: Pixels) -> tuple[Frames, Described]:
    """SIFT features, their descriptions as RootSIFT (Arandjelovic and Zisserman, 2012)."""
    import cv2

    points, described = cv2.SIFT.create(nfeatures=4000, contrastThreshold=0.02).detectAndCompute(grey, None)
    if not points:
        return np.empty((0, 4)), np.empty((0, 128), np.float32)
    frames = np.array([(*point.pt, point.size, point.angle) for point in points])
    rooted = np.sqrt(described / np.maximum(described.sum(axis=1, keepdims=True), 1e-9))
    return frames, rooted.astype(np.float32)
