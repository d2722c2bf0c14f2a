"""Typical posts of a burst: those that the others are most alike, by MiniLM embeddings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: Posts that an alarm shows.
SHOWN = 5


def typical(vectors: npt.NDArray[np.float32], weights: Sequence[float], count: int = SHOWN) -> list[tuple[int, float]]:
    """Places of the medoids, the heaviest first, and the sum of the weights of the posts that are nearest to each.

    Medoids are chosen one by one to be nearest to all posts together (facility location; greedy is within 63% of the
    best choice: Nemhauser, Wolsey and Fisher, 1978).

    Args:
        vectors: embeddings of length 1, a row a post.
        weights: of each post, such as its copies.
    """
    alike, weight = vectors @ vectors.T, np.asarray(weights, dtype=np.float64)
    chosen: list[int] = []
    covered = np.full(len(alike), -1.0)
    for _ in range(min(count, len(alike))):
        gains = np.maximum(alike - covered, 0) @ weight
        gains[chosen] = -1
        best = int(gains.argmax())
        if chosen and gains[best] <= 0:  # what is left is equal to what was chosen
            break
        chosen.append(best)
        covered = np.maximum(covered, alike[best])
    nearest = alike[chosen].argmax(axis=0)
    found = [(place, float(weight[nearest == at].sum())) for at, place in enumerate(chosen)]
    return sorted(found, key=lambda one: -one[1])
