"""Which evaluation on the champion's decision log a family's `log_gate` is applied by."""

from collections.abc import Callable, Mapping

from models.evaluation.gates import Verdict
from serving.decisions.kinds import bid, creative
from serving.experiments import challenge, challenge_creatives

#: By family, as `challenge.judge`.
JUDGES: Mapping[str, Callable[..., Verdict]] = {
    bid.FAMILY: challenge.judge,
    creative.FAMILY: challenge_creatives.judge,
}
