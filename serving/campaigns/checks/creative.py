"""Pictures and texts: their format, size and share of text, the rules of copy, and brand safety."""

from collections.abc import Iterator

from features.fetch import Unreachable, fetched
from serving.campaigns.checks.brand_safety import of_plan
from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed, warned
from serving.campaigns.plan import PlannedAd
from serving.content.draft import check_all
from serving.content.formats import Format, formats
from serving.images.formats import image_format
from serving.images.preflight import preflight

#: The format of a platform's ads where they name none.
USUAL = {"google_ads": "google.search", "meta": "meta.feed", "linkedin": "linkedin.feed"}


def creative(seen: BeforeLaunch) -> LaunchVerdict:
    """Pictures are there and pass the pre-flight of their format: what the platform takes, and what people will see."""
    found = [_judged(name, group.name, ad, seen.any_address) for name, group, ad in seen.plan.ads()]
    worst = min(found, key=lambda one: ("fail", "warn", "pass").index(one.verdict))
    return worst if worst.verdict != "pass" else passed("creative", "pictures pass the pre-flight of their formats")


def _judged(platform: str, group: str, ad: PlannedAd, any_address: bool) -> LaunchVerdict:
    where, form = f"{platform}: {group}: {ad.name}", _format(platform, ad)
    if form is None:
        return failed("creative", f"{where}: format '{ad.format}' is unknown", f"use one of {', '.join(formats())}")
    if ad.image is None:
        return passed("creative", where)
    if not form.pictures:
        return failed("creative", f"{where}: {form.id} has no picture", "remove image")
    limits = [image_format(name) for name in form.pictures]
    try:
        content = fetched(ad.image, int(max(one.megabytes for one in limits) * 1e6), any_address)
    except Unreachable as fault:
        return failed("creative", f"{where}: {fault}", f"see {limits[0].source} ({limits[0].date})")
    found = preflight(content, limits, text_share=ad.text_share)
    told = "; ".join(f"{one.check}: {one.value}, expected {one.limit}" for one in found.wrong)
    say = {"fail": failed, "warn": warned}.get(found.verdict)
    if say is None:
        return passed("creative", where)
    return say("creative", f"{where}: {ad.image} ({found.format}): {told}", "; ".join(one.do for one in found.wrong))


def copy(seen: BeforeLaunch) -> LaunchVerdict:
    """Every text keeps the limits of its format, the rules of its market, and what the product sheet says."""
    if seen.plan.sheet is None:
        said = "the plan has no product sheet, so that no claim of its texts can be checked"
        return failed("copy", said, "add the section sheet (adloop content draft --help)")
    for name, group, ad in seen.plan.ads():
        for part in check_all(dict(_texts(name, ad)), seen.plan.sheet, seen.plan.brief, {}):
            if not part.passed:
                reason = next(one for one in part.reasons if one.severity == "refuse")
                where = f"{name}: {group.name}: {ad.name}"
                return failed("copy", f"{where}: '{part.text}': {reason.message} ({reason.rule})", "change the text")
    return passed("copy", "limits, rules and product sheet are kept")


def brand_safety(seen: BeforeLaunch) -> LaunchVerdict:
    """No ad, keyword or placement that a brand should not stand beside."""
    found = next(of_plan(seen.plan), None)
    if found is not None:
        return failed("brand_safety", str(found), "change it; rules are in serving/campaigns/checks/brand_safety.yaml")
    return passed("brand_safety", "no rule is broken")


def _format(platform: str, ad: PlannedAd) -> Format | None:
    return formats().get(ad.format or USUAL[platform])


def _texts(platform: str, ad: PlannedAd) -> Iterator[tuple[str, list[str]]]:
    """The ad's texts by the part of its format: headlines, and bodies by the first other part."""
    form = _format(platform, ad)
    if form is None:  # the check of creatives tells
        return
    headline = next(one for one in form.parts if one in ("headline", "subject", "brief"))
    yield f"{form.id}.{headline}", list(ad.headlines)
    other = next((one for one in form.parts if one != headline), None)
    if other is not None and ad.bodies:
        yield f"{form.id}.{other}", list(ad.bodies)
