"""The accounts at platforms, and whether they can do what the plan asks."""

from serving.campaigns.audiences import readable
from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed
from serving.campaigns.parts import CannotRun, LaunchNumbers, parts
from serving.campaigns.typical import bids


def platform(seen: BeforeLaunch) -> LaunchVerdict:
    """Connected, permitted, the account that the plan names, and able to do all of it."""
    for name, planned in seen.plan.platforms.items():
        account = seen.accounts[name]
        if account.access is None:
            return failed("platform", f"{name}: {account.fault}", f"adloop connect {name}")
        if account.access.missing:
            return failed("platform", f"{name}: {account.access.missing[0]}", f"adloop connect {name}")
        if account.access.account != planned.account:
            said = f"{name}: connected to account {account.access.account}, the plan names {planned.account}"
            return failed("platform", said, "connect the other account, or change the plan")
        try:
            parts(seen.plan, name, account.able, LaunchNumbers(bids(seen.bids), readable(seen.members)))
        except CannotRun as fault:
            return failed("platform", str(fault), "change the plan")
    return passed("platform", ", ".join(seen.plan.platforms))


def stops(seen: BeforeLaunch) -> LaunchVerdict:
    """Neither the account nor everything is stopped."""
    if seen.stopped is not None:
        return failed("stops", seen.stopped, "adloop kill --lift")
    return passed("stops", "none")
