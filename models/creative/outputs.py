"""The four predicted outputs: what each counts, and the columns that its level is read from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
#: Rates are kept this far from 0 and 1, and prices above it.
EDGE = 1e-6


@dataclass(frozen=True)
class Output:
    """One output.

    Attributes:
        name: of the answer and its label.
        trials: label column with what it is a rate of.
        lift: feature column with the creative's own ratio to its campaign.
        rate: whether it is a probability; else a price.
    """

    name: str
    trials: str
    lift: str
    rate: bool = True

    @property
    def answers(self) -> tuple[str, ...]:
        """The names of all that a model says of it."""
        return tuple(f"{self.name}{end}" for end in ("", "_low", "_high", *(("_strength",) if self.rate else ())))

    def link(self, values: Array) -> Array:
        """Log odds of a rate, the logarithm of a price."""
        kept = np.clip(values, EDGE, 1 - EDGE if self.rate else None)
        return np.asarray(np.log(kept) - np.log1p(-kept) if self.rate else np.log(kept))

    def unlink(self, linked: Array) -> Array:
        """The inverse of `link`."""
        return np.asarray(1 / (1 + np.exp(-linked)) if self.rate else np.exp(linked))

    def told(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """The examples that tell it: with trials and their outcome."""
        return np.asarray((frame[self.trials] > 0) & frame[self.name].notna())

    def counts(self, frame: pd.DataFrame) -> tuple[Array, Array]:
        """Events and trials of examples that tell it; of a price, money and clicks."""
        trials = frame[self.trials].to_numpy(dtype=np.float64)
        return frame[self.name].to_numpy(dtype=np.float64) * trials, trials


CTR = Output("ctr", "impressions", "ctr_lift")
CONVERSION_RATE = Output("conversion_rate", "clicks", "conversion_lift")
ENGAGEMENT = Output("engagement", "impressions", "engagement_lift")
CPC = Output("cpc", "clicks", "cpc_lift", rate=False)
OUTPUTS = (CTR, CONVERSION_RATE, ENGAGEMENT, CPC)
#: Fewest events of an output that are learnt from; with fewer it is left out.
FEWEST = 20
