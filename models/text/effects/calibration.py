"""Makes effects and their errors right for texts that were held out."""

import numpy as np
from scipy.optimize import minimize

from models.text.effects.evidence import Array, ClickEvidence
from models.text.effects.model import TextEffects

#: Prior of the logarithms of slope and spread: 0, with this deviation.
STRAY = 0.5


def calibrate(effects: TextEffects, held: ClickEvidence) -> tuple[float, float]:
    """Slope and spread (see `TextEffects`) by the likelihood of differences between two held-out texts of a group.

    1 and 1 where no two were held out. What groups differ by tells of texts too, but not in the measure in which texts
    of one group differ.
    """
    first, second = held.pairs()
    if not len(first):
        return 1.0, 1.0
    texts = np.array(held.texts, dtype=object)
    mean, deviation = effects.difference(texts[held.text[first]].tolist(), texts[held.text[second]].tolist())
    noise = held.noise[first] + held.noise[second]
    seen = held.value[first] - held.value[second]

    def loss(logs: Array) -> float:
        slope, spread = np.exp(logs)
        variance = (spread * deviation) ** 2 + noise
        unlikely = np.log(variance) + (seen - slope * mean) ** 2 / variance
        return float(unlikely.sum() / 2 + (logs**2).sum() / (2 * STRAY**2))

    slope, spread = np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead").x)
    return float(slope), float(spread)
