"""What a decision becomes once its money was asked for: the last step, live and in replay."""

from serving.decisions.engine import repeated, withheld
from serving.decisions.records import Decision
from serving.decisions.state.store import Grant


def answered(decision: Decision, grant: Grant | None) -> Decision:
    """The decision as it is answered. Without a grant no money was asked for, and it stands."""
    if grant is None or grant.status == "reserved":
        return decision
    return repeated(decision, grant.amount) if grant.status == "again" else withheld(decision, grant.why)
