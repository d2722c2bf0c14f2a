"""Pictures and texts: their format, size and share of text, the rules of copy, and brand safety."""

import io
from collections.abc import Iterator

from features.fetch import Unreachable, fetched
from serving.campaigns.checks.brand_safety import of_plan
from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed, warned
from serving.campaigns.plan import PlannedAd
from serving.content.draft import check_all
from serving.content.formats import Format, ImageLimits, formats

#: The format of a platform's ads where they name none.
USUAL = {"google_ads": "google.search", "meta": "meta.feed", "linkedin": "linkedin.feed"}


def creative(seen: BeforeLaunch) -> LaunchVerdict:
    """Pictures are there and are what their format takes. What is in them nobody looks at yet."""
    found = [_judged(name, group.name, ad, seen.any_address) for name, group, ad in seen.plan.ads()]
    worst = min(found, key=lambda one: ("fail", "warn", "pass").index(one.verdict))
    return worst if worst.verdict != "pass" else passed("creative", "formats, sizes and shares of text fit")


def _judged(platform: str, group: str, ad: PlannedAd, any_address: bool) -> LaunchVerdict:
    where, form = f"{platform}: {group}: {ad.name}", _format(platform, ad)
    if form is None:
        return failed("creative", f"{where}: format '{ad.format}' is unknown", f"use one of {', '.join(formats())}")
    if ad.image is None:
        return passed("creative", where)
    if form.image is None:
        return failed("creative", f"{where}: {form.id} has no picture", "remove image")
    wrong = _wrong(ad.image, form.image, any_address)
    if wrong:
        return failed("creative", f"{where}: {wrong}", f"see {form.source} ({form.date})")
    do = "set text_share, or use a picture with less text"
    if ad.text_share is None:
        return warned("creative", f"{where}: nobody measured how much of the picture is text", do)
    if ad.text_share > form.image.text:
        covers = f"text covers {ad.text_share:.0%} of the picture, more than {form.image.text:.0%}"
        return warned("creative", f"{where}: {covers}", do)
    return passed("creative", where)


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


def _wrong(url: str, limits: ImageLimits, any_address: bool) -> str:
    """What is wrong with a picture by its header; empty where nothing is."""
    from PIL import Image, UnidentifiedImageError

    try:
        written = fetched(url, int(limits.megabytes * 1e6), any_address)
        with Image.open(io.BytesIO(written), formats=("JPEG", "PNG", "GIF", "WEBP")) as picture:
            kind, (width, height) = str(picture.format), picture.size
    except Unreachable as fault:
        return str(fault)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return f"{url}: is no picture"
    if kind not in limits.files:
        return f"{url}: is {kind}, expected {' or '.join(limits.files)}"
    if width < limits.width:
        return f"{url}: is {width} pixels wide, at least {limits.width}"
    if not limits.narrow <= width / height <= limits.wide * 1.01:
        return f"{url}: is {width} by {height}, expected a width of {limits.narrow:g} to {limits.wide:g} heights"
    return ""
