"""Gates of the nlp family."""

import pandas as pd

from models.evaluation import calibration
from models.evaluation.gates import Evidence, Verdict
from models.evaluation.labels import right_labels
from models.nlp.cleaning import key
from models.nlp.examples import LABEL
from models.nlp.metrics import ece, in_scope

#: Calibration error above that of chance that a release may have.
OFF = 0.05


def calibrated(evidence: Evidence) -> Verdict:
    """The confidence is right as often as it says: its error is at most `OFF` above that expected by chance."""
    known = in_scope(evidence.truth)
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


def texts_apart(evidence: Evidence) -> Verdict:
    """No held-out text is among those learnt from."""
    learnt = set(_keys(evidence.train))
    shared = sum(one in learnt for one in _keys(evidence.rows))
    reason = f"{shared} of {len(evidence.rows):,} held-out texts are among those learnt from; none may be"
    return Verdict("texts_apart", shared == 0, reason, {"shared": float(shared)})


def _keys(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    about = rows["aspect"].fillna("")
    return [(task, aspect, key(text)) for task, aspect, text in zip(rows["task"], about, rows["text"], strict=True)]
