"""Gates of the nlp family."""

import pandas as pd

from models.evaluation import labels
from models.evaluation.gates import Evidence, Verdict
from models.nlp.cleaning import key
from models.nlp.examples import LABEL
from models.nlp.metrics import in_scope

calibrated = labels.calibrated(LABEL, in_scope)


def texts_apart(evidence: Evidence) -> Verdict:
    """No held-out text is among those learnt from."""
    learnt = set(_keys(evidence.train))
    shared = sum(one in learnt for one in _keys(evidence.rows))
    reason = f"{shared} of {len(evidence.rows):,} held-out texts are among those learnt from; none may be"
    return Verdict("texts_apart", shared == 0, reason, {"shared": float(shared)})


def _keys(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    about = rows["aspect"].fillna("")
    return [(task, aspect, key(text)) for task, aspect, text in zip(rows["task"], about, rows["text"], strict=True)]
