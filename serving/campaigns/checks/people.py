"""Who sees the ads, and who does not: audiences, negative keywords, and what must be declared."""

from serving.campaigns.checks.verdict import BeforeLaunch, LaunchVerdict, failed, passed, warned
from serving.content.plain import plain
from serving.content.rules import Rule, rules

#: The rule of copy that finds political advertising.
POLITICS = "politics.declaration"


def audience(seen: BeforeLaunch) -> LaunchVerdict:
    """Each audience has members enough for the platform to show it, and for nobody to be told apart."""
    used = {name for _, group in seen.plan.groups() for name in group.audiences}
    sizes = list[str]()
    for name in sorted(used):
        found = seen.members[name]
        if isinstance(found, str):
            return failed("audience", f"{name}: {found}", "score and name the file again: adloop score")
        if len(found) < seen.policy.audience:
            said = f"{name}: {len(found)} members with an address, {seen.policy.audience} needed"
            return failed("audience", said, "widen top, above or below")
        sizes.append(f"{name}: {len(found):,} members")
    unused = sorted({one.name for one in seen.plan.segments} - used)
    if unused:
        return warned("audience", f"segment {unused[0]} is in no ad group", "name it under audiences, or remove it")
    return passed("audience", "; ".join(sizes) or "no audiences of customers")


def negative_keywords(seen: BeforeLaunch) -> LaunchVerdict:
    """Ad groups with keywords that match loosely have negative ones, and none of both."""
    for name, group in seen.plan.groups():
        if group.keywords and not group.negative_keywords:
            return failed(
                "negative_keywords", f"{name}: {group.name}: none", "add what must not match: free, jobs, second hand"
            )
        both = {one.text.casefold() for one in group.keywords} & {
            one.text.casefold() for one in group.negative_keywords if one.match != "exact"
        }
        if both:
            said = f"{name}: {group.name}: '{min(both)}' is a keyword and a negative one"
            return failed("negative_keywords", said, "remove one of them")
    return passed("negative_keywords", f"{sum(len(one.negative_keywords) for _, one in seen.plan.groups())}")


def political(seen: BeforeLaunch) -> LaunchVerdict:
    """Declared, and not political where an ad reads so."""
    said = seen.plan.declarations.political
    if said is None:
        return failed("political", "not declared", "set declarations.political to true or false")
    if said:
        return warned("political", "declared as political advertising", "platforms ask for a verified advertiser")
    for name, group, ad in seen.plan.ads():
        for text in (*ad.headlines, *ad.bodies):
            found = next(_politics().finds(plain(text)), None)
            if found is not None:
                said = f"{name}: {group.name}: {ad.name}: '{found[0].strip()}' reads as political ({POLITICS})"
                return failed("political", said, "declare it, or change the ad")
    return passed("political", "declared as not political")


def regulated(seen: BeforeLaunch) -> LaunchVerdict:
    """Regulated categories are declared, among them the trade of the product."""
    said = seen.plan.declarations.categories
    if said is None:
        return failed("regulated", "not declared", "set declarations.categories, to [] where there are none")
    trade = seen.plan.sheet.trade if seen.plan.sheet is not None else "general"
    if trade in ("alcohol", "finance", "gambling", "health") and trade not in said:
        return failed("regulated", f"the product's trade is {trade}", f"add {trade} to declarations.categories")
    narrow = [one for one in said if one in ("credit", "employment", "housing")]
    if narrow and seen.plan.segments:
        return failed("regulated", f"{narrow[0]} may not be aimed at scored customers", "remove audiences and segments")
    return passed("regulated", ", ".join(said) or "none")


def _politics() -> Rule:
    return next(one for one in rules() if one.id == POLITICS)
