"""What people do with campaigns, from the command line and over HTTP: plan, check, approve, launch, pause, end."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features.settings import Settings
from features.tables import Tables
from serving.campaigns import approvals, audiences, launch
from serving.campaigns.checks.run import LaunchBlocked, verdicts
from serving.campaigns.checks.verdict import BeforeLaunch, ConnectedAccount, LaunchVerdict
from serving.campaigns.ending import holdout
from serving.campaigns.ending.assess import CampaignAssessment
from serving.campaigns.ending.end import archived
from serving.campaigns.life import CampaignState, CampaignVersion, WrongState
from serving.campaigns.parts import LaunchNumbers, parts
from serving.campaigns.plan import CampaignPlan
from serving.campaigns.safety.attempts import human_triggers
from serving.campaigns.safety.guard import Guarded, guarded
from serving.campaigns.typical import first_bids
from serving.integrations import catalog
from serving.integrations.credentials import NotConnected
from serving.integrations.platform import Platform, PlatformError, Unanswered

#: Canonical tables of all that was synced, under the home.
SYNCED = "synced"


@dataclass(frozen=True)
class Ended:
    """What ending a campaign came to: the changes that are asked of platforms, or its assessment and report."""

    changes: list[str]
    assessment: CampaignAssessment | None = None
    report: Path | None = None


@dataclass(frozen=True)
class CampaignDesk:
    """The campaigns of a home.

    Attributes:
        opened: gives a platform's account.
        data: tables of past campaigns; those that were synced by default.
    """

    known: Guarded
    settings: Settings
    data: Path | None = None
    opened: Callable[[str], Platform] = catalog.platform

    def plan(self, plan: CampaignPlan, text: str, who: str, why: str) -> CampaignVersion:
        return self.known.lives.plan(plan, text, who, why, self.known.now())

    def check(self, name: str, who: str) -> tuple[CampaignVersion, list[LaunchVerdict]]:
        """Run all checks on the newest version; it is checked where none fails, and else stays what it is."""
        version = self.known.lives.newest(name)
        if version.state not in ("draft", "checked"):
            raise WrongState(f"{version}: is {version.state}; a changed file is a new version (adloop campaign plan)")
        seen = self._before(version)
        found = verdicts(seen)
        if any(one.verdict == "fail" for one in found):
            return version, found
        warnings = [one.check for one in found if one.verdict == "warn"]
        why = "all checks passed" + (f", with warnings of {', '.join(warnings)}" if warnings else "")
        detail = {
            "verdicts": [asdict(one) for one in found],
            "bids": {where: asdict(one) for where, one in seen.bids.items()},
        }
        return self.known.lives.move(version, "checked", who, why, self.known.now(), detail), found

    def approve(self, name: str, who: str, why: str, number: int | None = None) -> CampaignVersion:
        """Approve a version, the newest by default."""
        lives = self.known.lives
        version = lives.newest(name) if number is None else lives.version(name, number)
        return approvals.approve(lives, version, who, why, self.known.policy, self.known.now())

    def launch(self, name: str, who: str, why: str, number: int | None = None) -> list[str]:
        """Intend the launch of an approved version; a paused campaign goes on. Returns the ids of the new changes.

        The bids are those that people approved. Raises `LaunchBlocked` where a check fails by now.
        """
        self.settle()
        newest = self.known.lives.newest(name)
        if newest.state == "paused":
            return launch.ask(self.known.lives, self.known.ledger, name, "live", who, why, self.known.now())
        version = approvals.need(self.known.lives, name, self.known.policy, self.known.now(), number)
        seen = self._before(version)
        found = verdicts(seen)
        if any(one.verdict == "fail" for one in found):
            raise LaunchBlocked(found)
        numbers = LaunchNumbers(self._approved_bids(version), audiences.readable(seen.members))
        wanted = {
            platform: parts(version.plan, platform, account.able, numbers)
            for platform, account in seen.accounts.items()
        }
        now = self.known.now()
        holdout.keep(self.settings, version.plan, now)
        return launch.launch(self.known.lives, self.known.ledger, version, wanted, who, why, now)

    def ask(self, name: str, to: CampaignState, who: str, why: str) -> list[str]:
        """Intend that a campaign is paused or ended at all platforms; returns the ids of the new changes."""
        self.settle()
        return launch.ask(self.known.lives, self.known.ledger, name, to, who, why, self.known.now())

    def end(self, name: str, who: str, why: str) -> Ended:
        """Ask the platforms to end a campaign; where they have, assess and archive it."""
        self.settle()
        newest = self.known.lives.newest(name)
        if newest.state not in ("ended", "archived"):
            changes = self.ask(name, "ended", who, why)
            if self.known.lives.newest(name).state != "ended":
                return Ended(changes)
        tables = Tables(self.data or self.settings.home / SYNCED)
        return Ended([], *archived(self.known, self.settings, name, tables, who, why))

    def settle(self) -> list[CampaignVersion]:
        """Take over what platforms have confirmed since."""
        return launch.settle(self.known.lives, self.known.ledger, self.known.now())

    def shown(self, version: CampaignVersion) -> dict[str, Any]:
        """A version as people see it."""
        standing = approvals.standing(
            version, self.known.lives.events(version.name), self.known.policy, self.known.now()
        )
        asked = launch.asked(self.known.lives, self.known.ledger, version)
        plan = version.plan
        return {
            "name": version.name,
            "version": version.version,
            "state": version.state,
            "account": version.account,
            "author": version.author,
            "currency": plan.currency,
            "daily": plan.budget.daily,
            "dates": f"{plan.dates.start} to {plan.dates.end}",
            "platforms": list(plan.platforms),
            "approved_by": list(standing.people),
            "missing": standing.missing if version.state in ("checked", "approved") else "",
            "person": list(human_triggers(version, self.known)),
            "asked": None if asked is None else {**asdict(asked), "refused": dict(asked.refused)},
        }

    def events(self, name: str) -> list[dict[str, Any]]:
        """All that happened to a campaign, in order."""
        return [asdict(one) for one in self.known.lives.events(name)]

    def _approved_bids(self, version: CampaignVersion) -> Mapping[str, float]:
        checked = [
            one
            for one in self.known.lives.events(version.name)
            if one.what == "checked" and one.version == version.version
        ]
        return {where: one["bid"] for where, one in checked[-1].detail["bids"].items()}

    def _before(self, version: CampaignVersion) -> BeforeLaunch:
        """All that checks look at."""
        plan = version.plan
        budget = next((one for one in self.known.stops.budgets(plan.account) if one.campaign_id is None), None)
        killed = self.known.stops.stopped() or (budget.killed if budget is not None else None)
        folder = self.data or self.settings.home / SYNCED
        return BeforeLaunch(
            plan=plan,
            policy=self.known.policy,
            accounts={name: self._account(name) for name in plan.platforms},
            now=self.known.now(),
            limit=budget.spend.daily_limit if budget is not None else None,
            stopped=killed,
            bids=first_bids(plan, Tables(folder) if folder.is_dir() else None),
            members=audiences.of_plan(plan),
            any_address=self.settings.landing_pages == "any",
        )

    def _account(self, name: str) -> ConnectedAccount:
        try:
            with closing(self.opened(name)) as platform:
                return ConnectedAccount(platform.connect(), tuple(platform.capabilities))
        except (NotConnected, PlatformError, Unanswered, ValueError) as fault:
            return ConnectedAccount(None, fault=str(fault))
        except ImportError as fault:
            return ConnectedAccount(None, fault=f"{fault.name} is not installed here: pip install 'adloop[train]'")


def desk(settings: Settings, params_file: Path, data: Path | None = None) -> CampaignDesk:
    """The desk of a home."""
    return CampaignDesk(guarded(settings, params_file), settings, data)
