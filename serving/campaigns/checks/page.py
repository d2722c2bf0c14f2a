"""Tracking, and the pages that ads lead to."""

from urllib.parse import parse_qs, urlsplit

from features.fetch import Unreachable, fetched
from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed
from serving.campaigns.parts import tracked

UTM = ("utm_source", "utm_medium", "utm_campaign")


def tracking(seen: BeforeLaunch) -> LaunchVerdict:
    """Each URL carries the parameters that tell which campaign brought a visitor."""
    for name, group, ad in seen.plan.ads():
        said = parse_qs(urlsplit(tracked(ad.url, seen.plan, name)).query)
        missing = [one for one in UTM if one not in said]
        if missing:
            where = f"{name}: {group.name}: {ad.name}"
            return failed("tracking", f"{where}: no {missing[0]} in {ad.url}", "add the section tracking to the plan")
    return passed("tracking", "every URL has UTM parameters")


def landing_page(seen: BeforeLaunch) -> LaunchVerdict:
    """Each page answers, in the end with 200."""
    urls = sorted({tracked(ad.url, seen.plan, name) for name, _, ad in seen.plan.ads()})
    for url in urls:
        try:
            fetched(url, 0, seen.any_address)
        except Unreachable as fault:
            return failed("landing_page", str(fault), "publish the page, or correct the URL of the ad")
    return passed("landing_page", f"{len(urls)} pages answer")
