"""What guards look at: the change, the campaigns, the ledger, the limits of accounts, and the time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.settings import Settings
from serving.campaigns.launch import LAUNCH, prefix
from serving.campaigns.life import CampaignLives, CampaignVersion, lives
from serving.campaigns.policy import CampaignPolicy, read_policy
from serving.decisions.params import read
from serving.decisions.state.configured import state_store
from serving.decisions.state.store import Store
from serving.integrations.change import Change, Fields
from serving.integrations.ledger import FILE, WriteLedger

#: Fields that are money.
BUDGETS = ("daily_budget", "total_budget")
MONEY = (*BUDGETS, "bid")


@dataclass(frozen=True)
class Guarded:
    """All that guards read. `stops` has the stops and limits of accounts."""

    lives: CampaignLives
    ledger: WriteLedger
    stops: Store
    policy: CampaignPolicy
    now: Callable[[], float] = time.time

    def version(self, change: Change) -> CampaignVersion | None:
        """The version that a change belongs to: the running one, or the newest; None for no campaign of adloop."""
        if not change.campaign:
            return None
        versions = self.lives.versions(change.campaign)
        running = self.lives.running(change.campaign)
        return running or (versions[-1] if versions else None)

    def launching(self, change: Change) -> CampaignVersion | None:
        """The version whose launch the change is part of; None where it is no part of one."""
        versions = self.lives.versions(change.campaign) if change.campaign else []
        return next((one for one in versions if change.change_id.startswith(prefix(one, LAUNCH))), None)

    def account(self, change: Change) -> str:
        """Adloop's account, whose limits and stops hold."""
        return self.account_of(change.campaign, change.account)

    def account_of(self, campaign: str, where: str) -> str:
        """As `account`, of a campaign's name and an account at a platform."""
        versions = self.lives.versions(campaign) if campaign else []
        return versions[-1].account if versions else where

    def shown(self, change: Change) -> Fields:
        """The object's fields as they were last written or seen; empty for a new one."""
        if not change.target:
            return {}
        known = self.ledger.known(change.platform, change.account, change.object, [change.target])
        return known[0].fields if known else {}


#: Why a change waits; None where it may leave.
Guard = Callable[[Change, Guarded], str | None]


def guarded(settings: Settings, params_file: Path) -> Guarded:
    """Of a home."""
    return Guarded(
        lives(settings),
        WriteLedger(settings.home / FILE),
        state_store(settings, read(params_file)[0]),
        read_policy(params_file),
    )


def raised(change: Change, shown: Fields) -> Mapping[str, float]:
    """Amounts of money that the change makes larger than they are."""
    return {
        name: float(value)
        for name, value in change.fields.items()
        if name in MONEY and isinstance(value, int | float) and value > float(shown.get(name) or 0.0)
    }
