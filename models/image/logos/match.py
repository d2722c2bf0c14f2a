"""Where the shape of a mark lies in a picture: many poses are proposed, and judged by the edges of the mark.

One pair of alike SIFT features (Lowe, "Distinctive image features from scale-invariant keypoints", 2004), or one region
like a part of the mark, tells scale, turn and place of the whole mark: each is a proposal of its own. A pose is judged
by how many points along the mark's edges have the mark's one colour inside and another outside; what is covered lowers
the score but does not end it, what goes on beyond an edge speaks against the mark, and what lies beyond the picture's
border does not count.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.image.logos.mark import MARGIN, MARKS_KEPT, Mark, Points
from models.image.logos.regions import Regions, parts, poses, regions
from models.image.picture import Pixels

#: Longer side of the picture in which marks are looked for.
SIDE = 1080
#: Features that are looked for in a picture, and the pairs most alike of them and those of a mark that are proposals.
FEATURES, PAIRS = 4000, 1500
#: Of the mark's edges one point in so many is looked at to choose among proposals, and to refine them.
_COARSE, _FINER = 10, 2
#: Proposals for a mark that are refined; rounds of that, with so many small changes each.
REFINED, ROUNDS, TRIES = 12, 4, 40
#: Spread of those changes in the first round: of the logarithm of scale, of the turn in radians, of the place in parts
#: of the mark's size.
_GROW, _TURN, _MOVE = 0.06, 0.06, 0.03
#: Lab distances within which colours are the same, and from which they are apart.
SAME, APART = 14.0, 26.0
#: What a point counts whose colour goes on beyond the edge; one where the mark is covered counts 0, one that fits 1.
_GOES_ON = -0.5
#: Longer side of a mark at least and at most, in parts of the picture's width.
SMALLEST, LARGEST = 0.03, 0.9

#: Rows of a similarity: x' = a x - b y + c, y' = b x + a y + d, from pixels of a mark's shape to those of the picture.
Poses = npt.NDArray[np.float64]
Lab = npt.NDArray[np.float32]
#: Of SIFT features, rows of x, y, size and angle in degrees; and their descriptions.
Frames, Described = npt.NDArray[np.float64], npt.NDArray[np.float32]


@dataclass(frozen=True)
class SearchedPicture:
    """What is needed of a picture: Lab colours (height, width, 3), its regions, and its SIFT features."""

    lab: Lab
    regions: Regions
    frames: Frames
    described: Described


def searched(pixels: Pixels) -> SearchedPicture:
    """A picture, of which no side is longer than `SIDE`, as `best` reads it."""
    import cv2

    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    smooth = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.6), np.float32)
    frames, described = _features(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
    return SearchedPicture(smooth, regions(smooth), frames, described)


def best(picture: SearchedPicture, mark: Mark) -> tuple[float, Poses]:
    """The best pose of a mark in a picture and its score, 1 at best; a score of 0 where there is no proposal."""
    proposed = np.concatenate([_by_features(picture, mark), poses(picture.regions, _parts(mark))])
    width = picture.lab.shape[1]
    size = np.hypot(proposed[:, 0], proposed[:, 1]) * (max(mark.shape.shape) - 2 * MARGIN)
    proposed = proposed[(size >= SMALLEST * width) & (size <= LARGEST * width)]
    if not len(proposed):
        return 0.0, np.zeros(4)
    scores = judged(picture.lab, mark, proposed, _COARSE)
    return _refined(picture.lab, mark, proposed[np.argsort(-scores, kind="stable")[:REFINED]])


def judged(lab: Lab, mark: Mark, poses: Poses, every: int = 1) -> npt.NDArray[np.float64]:
    """Score of each pose, by one in `every` points of the mark's edges; 0 where less than half of them are visible."""
    edges, normals = mark.edges[::every], mark.normals[::every]
    scale = np.hypot(poses[:, 0], poses[:, 1])[:, None, None]
    step = np.maximum(2.0, 1.3 / scale)  # beyond the soft edge
    inner, within = _colours(lab, poses, edges - step * normals)
    outer, _ = _colours(lab, poses, edges + step * normals)
    own = np.median(inner, axis=1, keepdims=True)
    same = np.exp(-((np.linalg.norm(inner - own, axis=2) / SAME) ** 2))
    apart = 1 - np.exp(-((np.linalg.norm(outer - own, axis=2) / APART) ** 2))
    counted = within.sum(axis=1)
    points = np.where(within, same * (apart + _GOES_ON * (1 - apart)), 0)
    return np.where(counted >= len(edges) / 2, points.sum(axis=1) / np.maximum(counted, 1), 0.0)


def _by_features(picture: SearchedPicture, mark: Mark) -> Poses:
    """Poses that lay a feature of the mark on one of the picture that is like it."""
    frames, described = _features_of(mark)
    if not len(described) or not len(picture.described):
        return np.empty((0, 4))
    alike = picture.described @ described.T
    likest = np.argpartition(-alike, min(PAIRS, alike.size - 1), axis=None)[:PAIRS]
    feature, own = np.unravel_index(likest, alike.shape)
    (x, y, size, angle), (to_x, to_y, to_size, to_angle) = frames[own].T, picture.frames[feature].T
    scale, turn = to_size / size, np.radians(to_angle - angle)
    a, b = scale * np.cos(turn), scale * np.sin(turn)
    return np.stack([a, b, to_x - a * x + b * y, to_y - b * x - a * y], axis=1)


def _refined(lab: Lab, mark: Mark, poses: Poses) -> tuple[float, Poses]:
    """The best of the poses and of small changes to them, drawn from a fixed seed; in each round half of them go on."""
    rng, spread = np.random.default_rng(0), 1.0
    for _ in range(ROUNDS):
        tried = np.concatenate([poses[:, None], _changed(poses, mark, spread, rng)], axis=1)
        scores = judged(lab, mark, tried.reshape(-1, 4), _FINER).reshape(tried.shape[:2])
        kept = np.argsort(-scores.max(axis=1), kind="stable")[: max(2, len(poses) // 2)]
        poses, spread = tried[kept, scores[kept].argmax(axis=1)], spread / 2
    final = judged(lab, mark, poses)
    return float(final.max()), poses[final.argmax()]


def _changed(poses: Poses, mark: Mark, spread: float, rng: np.random.Generator) -> Poses:
    """Each pose `TRIES` times a little larger, turned about the middle of the mark and moved."""
    x, y = np.array(mark.shape.shape[::-1]) / 2
    a, b, c, d = (part[:, None] for part in poses.T)
    draws = rng.normal(0, spread, (4, len(poses), TRIES))
    grow, turn = np.exp(_GROW * draws[0]), _TURN * draws[1]
    new_a, new_b = grow * (a * np.cos(turn) - b * np.sin(turn)), grow * (b * np.cos(turn) + a * np.sin(turn))
    size = np.hypot(a, b) * max(mark.shape.shape)
    to_x, to_y = a * x - b * y + c + _MOVE * draws[2] * size, b * x + a * y + d + _MOVE * draws[3] * size
    return np.stack([new_a, new_b, to_x - new_a * x + new_b * y, to_y - new_b * x - new_a * y], axis=2)


def _colours(lab: Lab, poses: Poses, points: Points) -> tuple[Lab, npt.NDArray[np.bool_]]:
    """Colours at points of the mark in each pose, (poses, points, 3), and which of them are within the picture."""
    x = poses[:, None, 0] * points[..., 0] - poses[:, None, 1] * points[..., 1] + poses[:, None, 2]
    y = poses[:, None, 1] * points[..., 0] + poses[:, None, 0] * points[..., 1] + poses[:, None, 3]
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    height, width = lab.shape[:2]
    within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return lab[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], within


@lru_cache(MARKS_KEPT)
def _parts(mark: Mark) -> Regions:
    return parts(mark.shape, MARGIN)


@lru_cache(MARKS_KEPT)
def _features_of(mark: Mark) -> tuple[Frames, Described]:
    """Features of the mark brighter than its ground, and darker."""
    pair = [_features(shape) for shape in (mark.shape, 255 - mark.shape)]
    return np.concatenate([frames for frames, _ in pair]), np.concatenate([described for _, described in pair])


def _features(grey: Pixels) -> tuple[Frames, Described]:
    """SIFT features, described as RootSIFT (Arandjelovic and Zisserman, 2012)."""
    import cv2

    points, described = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=0.02).detectAndCompute(grey, None)
    if not points:
        return np.empty((0, 4)), np.empty((0, 128), np.float32)
    frames = np.array([(*point.pt, point.size, point.angle) for point in points])
    return frames, np.sqrt(described / np.maximum(described.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)
