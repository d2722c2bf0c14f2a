"""What a key may be for."""

from typing import Literal

#: `predict` and `explain` ask models; `admin` sets budgets, stops and overrides; `metrics` reads figures.
Scope = Literal["predict", "explain", "decide", "feedback", "admin", "metrics"]
