"""The kill switch: after it no call leaves, whatever it would do; what is under way is reconciled by reads."""

from serving.campaigns.safety.guard import Guarded
from serving.integrations.change import Change


def stops(change: Change, known: Guarded) -> str | None:
    """Why everything, the account or the campaign is stopped."""
    why = known.stops.stopped()
    if why is not None:
        return f"everything is stopped: {why}; adloop kill --lift lets it go on"
    account = known.account(change)
    for budget in known.stops.budgets(account):
        if budget.killed is not None and budget.campaign_id in (None, change.campaign):
            whose = f"account {account}" if budget.campaign_id is None else f"campaign {change.campaign}"
            return f"{whose} is stopped: {budget.killed}; adloop kill --lift lets it go on"
    return None
