"""All checks, by name and in order."""

from serving.campaigns.checks.accounts import platform, stops
from serving.campaigns.checks.creative import brand_safety, copy, creative
from serving.campaigns.checks.money import bid, budget, currency, dates
from serving.campaigns.checks.page import landing_page, tracking
from serving.campaigns.checks.people import audience, negative_keywords, political, regulated
from serving.campaigns.checks.verdict import BeforeLaunch, LaunchCheck, LaunchVerdict

CHECKS: tuple[LaunchCheck, ...] = (
    *(stops, budget, dates, currency, platform, bid, tracking, landing_page, audience, negative_keywords),
    *(political, regulated, creative, copy, brand_safety),
)


class LaunchBlocked(ValueError):
    """The failed checks, by name."""

    def __init__(self, found: list[LaunchVerdict]) -> None:
        self.found = [one for one in found if one.verdict == "fail"]
        super().__init__("; ".join(f"{one.check}: {one.said} ({one.do})" for one in self.found))


def verdicts(seen: BeforeLaunch) -> list[LaunchVerdict]:
    """What every check says."""
    return [check(seen) for check in CHECKS]
