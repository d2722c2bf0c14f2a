"""Which arm a unit sees: by a hash of the experiment and the unit, so that it stays without being stored.

Experiments in different layers are independent, because each layer hashes with a salt of its own; experiments of one
layer exclude each other, because each takes a segment of its own (Tang et al., "Overlapping Experiment Infrastructure",
KDD 2010).
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.object_]


def position(salt: str, units: Iterable[str]) -> npt.NDArray[np.float64]:
    """The place of each unit in [0, 1), even and independent for different salts."""
    key = blake2b(salt.encode(), digest_size=32).digest()
    words = b"".join(blake2b(unit.encode(), digest_size=8, key=key).digest() for unit in units)
    return (np.frombuffer(words, dtype=">u8") >> np.uint64(11)) / 2.0**53


def assigned(
    name: str, layer: str, segment: tuple[float, float], arms: Sequence[tuple[str, float]], units: Sequence[str]
) -> Texts:
    """The arm of each unit; None for units outside the experiment's segment of its layer.

    Args:
        segment: from and to, in [0, 1]. A wider one later leaves those assigned before in their arms.
        arms: name and share of each; the shares sum to 1.
    """
    place = position(f"layer {layer}", units)
    inside = (segment[0] <= place) & (place < segment[1])
    names = np.array([arm for arm, _ in arms], dtype=object)
    borders = np.cumsum([share for _, share in arms])[:-1]
    chosen: Texts = names[np.searchsorted(borders, position(f"experiment {name}", units), side="right")]
    chosen[~inside] = None
    return chosen
