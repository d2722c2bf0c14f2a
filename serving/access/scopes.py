"""Scopes of API keys, and the warning where models require none."""

from typing import Literal

#: `predict` and `explain` ask models; `admin` sets budgets, stops and overrides; `metrics` reads figures.
Scope = Literal["predict", "explain", "decide", "feedback", "admin", "metrics"]

#: Said at every start where models ask for no key.
OPEN = (
    "ADLOOP_INFERENCE_KEYS=off: whoever reaches this port may ask for predictions, values and explanations of anybody"
)
