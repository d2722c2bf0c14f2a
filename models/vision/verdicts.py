"""Gates of the vision family."""

import numpy as np
import pandas as pd

from models.evaluation import calibration
from models.evaluation.gates import Evidence, Verdict
from models.evaluation.labels import right_labels
from models.vision.copies import Array, near, reduced
from models.vision.examples import LABEL
from models.vision.metrics import ece, labelled
from models.vision.reading import URI, pictures

#: Calibration error above that of chance that a release may have.
OFF = 0.05


def calibrated(evidence: Evidence) -> Verdict:
    """The confidence is right as often as it says: its error is at most `OFF` above that expected by chance."""
    known = labelled(evidence.truth)
    if not known.any():
        return Verdict("calibrated", True, "no labels are given, so that there is no confidence")
    error = ece().measure(evidence.truth, evidence.answers)
    chance = calibration.noise(evidence.answers["confidence"].to_numpy(dtype=float)[known], evidence.seed)
    share = float(right_labels(LABEL, evidence.truth, evidence.answers)[known].mean())
    return Verdict(
        "calibrated",
        error - chance <= OFF,
        f"expected calibration error {error:.4f}, of which {chance:.4f} by chance; the rest may be {OFF}; "
        f"{share:.1%} of the labels are right",
        {"ece": error, "noise": chance, "limit": OFF},
    )


def pictures_apart(evidence: Evidence) -> Verdict:
    """No held-out picture, nor a near copy of one, is among those learnt from."""
    shared = int(near(_reduced(evidence.rows), _reduced(evidence.train)).sum())
    reason = f"{shared} of {len(evidence.rows):,} held-out pictures have a near copy among those learnt from; none may"
    return Verdict("pictures_apart", shared == 0, reason, {"shared": float(shared)})


def _reduced(rows: pd.DataFrame) -> Array:
    found = [reduced(picture) for picture in pictures(rows[URI].dropna()) if picture is not None]
    return np.stack(found) if found else np.empty((0, 0), np.float32)
