"""Scopes of API keys, and the warning where models require none."""

from typing import Literal

#: `predict` and `explain` are for models; `texts` is for drafts, social listening and conversations, `images` for
#: pictures; `campaigns` plans, checks, launches, pauses and ends campaigns, and `approve` approves those of others;
#: `admin` sets budgets, stops and overrides; `metrics` reads metrics.
Scope = Literal[
    "predict", "explain", "decide", "feedback", "texts", "images", "campaigns", "approve", "admin", "metrics"
]

#: Warning at each start where models require no key.
OPEN = (
    "ADLOOP_INFERENCE_KEYS=off: anyone who reaches this port gets predictions, values and explanations for any customer"
)
