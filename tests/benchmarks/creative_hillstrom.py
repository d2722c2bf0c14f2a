"""Hillstrom's e-mail experiment (2008): 64,000 customers got a mail of men's goods, of women's, or none.

Would a personal choice of the mail bring more visits than the best one for everybody? An honest answer is that no gain
is shown.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from features.settings import Settings
from models.evaluation.personalisation import personalisation

DATA = Path(__file__).parents[3] / "shared/data/hillstrom_email/hillstrom.csv.gz"
ATTRIBUTES = ("recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel")
#: What a cross-fitted logistic policy gave elsewhere: +.0005 ± .0039.
GAIN, VERDICT, SEED = ">= -.0034, <= .0044", "<= 0", 0


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The gain of a personal choice, and whether it is said to be shown."""
    names = {"creative.hillstrom.personalised_gain": GAIN, "creative.hillstrom.gain_is_shown": VERDICT}
    if not DATA.is_file():
        yield from (
            {"name": name, "goal": goal, "absent": f"{DATA.parent.name} is not there"} for name, goal in names.items()
        )
        return
    found = personalisation(pd.read_csv(DATA), "treatment", "visit", ATTRIBUTES, SEED)
    told = {"seed": SEED, "data_hash": sha256(DATA.read_bytes()).hexdigest()}
    yield {
        "name": "creative.hillstrom.personalised_gain",
        "value": found.gain.value,
        "low": found.gain.low,
        "high": found.gain.high,
        "goal": GAIN,
        "unit": f"visits a customer above '{found.arm}' for everybody ({found.everybody.value:.4f}), doubly robust",
    } | told
    yield {
        "name": "creative.hillstrom.gain_is_shown",
        "value": float(found.shown),
        "goal": VERDICT,
        "unit": "1 if a gain is said to be shown",
    } | told
