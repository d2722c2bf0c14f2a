"""Budget, dates, currency and bids."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed, warned

#: A start further away is more likely a typing error, as is a longer campaign.
FAR, LONG = timedelta(days=366), 731


def budget(seen: BeforeLaunch) -> LaunchVerdict:
    """Enough for a conversion a day, not more than the total, and within the account's limit."""
    said, goal = seen.plan.budget, seen.plan.goal.cost_per_conversion
    if said.total is not None and said.daily * seen.plan.dates.days > said.total + 0.01:
        asked = f"{said.daily:g} a day for {seen.plan.dates.days} days are {said.daily * seen.plan.dates.days:g}"
        return failed("budget", f"{asked}, above the total of {said.total:g}", "lower budget.daily or end earlier")
    if seen.limit is None:
        account = seen.plan.account
        return failed("budget", f"account {account} has no daily limit", f"adloop budget {account} --daily AMOUNT")
    if said.daily > seen.limit:
        return failed(
            "budget", f"{said.daily:g} a day, above the account's limit of {seen.limit:g}", "lower budget.daily"
        )
    if goal is not None and said.daily < goal:
        return warned("budget", f"{said.daily:g} a day do not pay for one conversion at {goal:g}", "raise budget.daily")
    return passed("budget", f"{said.daily:g} a day, {said.daily * seen.plan.dates.days:g} in all")


def dates(seen: BeforeLaunch) -> LaunchVerdict:
    """Not over, not far away, not endless."""
    said, now = seen.plan.dates, datetime.fromtimestamp(seen.now, UTC)
    today = now.astimezone(ZoneInfo(seen.plan.zone)).date()
    if seen.plan.ends_at <= now:
        return failed("dates", f"the last day {said.end} is over", "set dates.end to a later day")
    if seen.plan.starts_at > now + FAR:
        return failed("dates", f"the first day {said.start} is more than a year away", "set dates.start earlier")
    if said.days > LONG:
        return failed("dates", f"{said.days} days are more than two years", "set dates.end earlier")
    if said.start < today:
        return warned("dates", f"the first day {said.start} is over; it begins at once", "set dates.start to today")
    return passed("dates", f"{said.days} days from {said.start}")


def currency(seen: BeforeLaunch) -> LaunchVerdict:
    """The currency of each account."""
    other = [
        f"{name} is in {account.access.currency}"
        for name, account in seen.accounts.items()
        if account.access is not None and account.access.currency not in ("", seen.plan.currency)
    ]
    if other:
        return failed("currency", f"the plan is in {seen.plan.currency}, {'; '.join(other)}", "set currency to that")
    untold = [name for name, one in seen.accounts.items() if one.access is None or not one.access.currency]
    if untold:
        return warned("currency", f"{', '.join(untold)} told no currency", "compare it at the platform")
    return passed("currency", seen.plan.currency)


def bid(seen: BeforeLaunch) -> LaunchVerdict:
    """Each ad group has a bid, of the plan or of like campaigns."""
    without = [name for name, one in seen.bids.items() if one.bid is None]
    if without:
        do = "set bid, or name tables of past campaigns (--data DIR)"
        return failed("bid", f"{without[0]} has no bid; {seen.bids[without[0]].source}", do)
    most = seen.plan.limits.bid
    above = [name for name, one in seen.bids.items() if most is not None and (one.bid or 0) > most]
    if above:
        return failed("bid", f"{above[0]}: {seen.bids[above[0]].bid:g} is above limits.bid {most:g}", "lower one")
    outside = [
        f"{name}: {one.bid:g} is above {one.high:.2f}, the most that a click of like campaigns is worth"
        for name, one in seen.bids.items()
        if one.bid is not None and one.high is not None and one.bid > one.high
    ]
    if outside:
        return warned("bid", "; ".join(outside), "lower the bid, or leave it out")
    return passed("bid", "; ".join(f"{name} {one.bid:g} ({one.source})" for name, one in seen.bids.items()))
