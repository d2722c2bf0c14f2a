"""Brand safety: what no text, keyword or placement of a campaign may say; each verdict names its rule."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from features import yaml_file
from serving.campaigns.plan import CampaignPlan
from serving.content.plain import plain
from serving.content.rules import Rule


@dataclass(frozen=True)
class UnsafeWording:
    """What a rule found, and where."""

    rule: str
    where: str
    found: str
    about: str

    def __str__(self) -> str:
        return f"{self.where}: '{self.found}': {self.about} ({self.rule})"


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of `brand_safety.yaml`."""
    written = yaml_file.from_yaml(Path(__file__).with_name("brand_safety.yaml").read_text("utf-8"))
    return tuple(Rule.model_validate(one) for one in written)


def unsafe(text: str, where: str) -> Iterator[UnsafeWording]:
    """Each rule that a text breaks, once."""
    seen = plain(text)
    for rule in rules():
        match = next(rule.finds(seen), None)
        if match is not None:
            yield UnsafeWording(rule.id, where, match[0], rule.about)


def of_plan(plan: CampaignPlan) -> Iterator[UnsafeWording]:
    """What is unsafe in a plan: its ads, and the keywords and placements that it would stand beside."""
    for platform, group in plan.groups():
        for keyword in group.keywords:
            yield from unsafe(keyword.text, f"{platform}: {group.name}: keyword")
        for placement in group.placements:
            yield from unsafe(placement, f"{platform}: {group.name}: placement")
    for platform, group, ad in plan.ads():
        for text in (*ad.headlines, *ad.bodies):
            yield from unsafe(text, f"{platform}: {group.name}: {ad.name}")
