"""Gates of the vision family."""

import numpy as np
import pandas as pd

from models.evaluation import labels
from models.evaluation.gates import Evidence, Verdict
from models.vision.copies import Array, near, reduced
from models.vision.examples import LABEL
from models.vision.metrics import labelled
from models.vision.reading import URI, pictures

calibrated = labels.calibrated(LABEL, labelled)


def pictures_apart(evidence: Evidence) -> Verdict:
    """No held-out picture, nor a near copy of one, is among those learnt from."""
    shared = int(near(_reduced(evidence.rows), _reduced(evidence.train)).sum())
    reason = f"{shared} of {len(evidence.rows):,} held-out pictures have a near copy among those learnt from; none may"
    return Verdict("pictures_apart", shared == 0, reason, {"shared": float(shared)})


def _reduced(rows: pd.DataFrame) -> Array:
    found = [reduced(picture) for picture in pictures(rows[URI].dropna()) if picture is not None]
    return np.stack(found) if found else np.empty((0, 0), np.float32)
