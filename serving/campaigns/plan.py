"""A campaign as people write it: what it is for, what it may cost, where it runs and what it shows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator, model_validator

from serving.campaigns.values import (
    Country,
    Currency,
    MatchType,
    PageUrl,
    PlanSection,
    PlatformName,
    RegulatedCategory,
    Slug,
    Title,
    Wording,
    Zone,
)
from serving.content.sheet import Brief, Sheet


class CampaignGoal(PlanSection):
    """What a conversion may cost, or what an amount spent must bring: one of the two."""

    cost_per_conversion: PositiveFloat | None = None
    roas: PositiveFloat | None = None

    @model_validator(mode="after")
    def _one(self) -> "CampaignGoal":
        if (self.cost_per_conversion is None) == (self.roas is None):
            raise ValueError("expected cost_per_conversion or roas, and only one of them")
        return self


class PlannedBudget(PlanSection):
    """The most that is spent, a day and in all, on all platforms together."""

    daily: PositiveFloat
    total: PositiveFloat | None = None

    @field_validator("total")
    @classmethod
    def _order(cls, total: float | None, found: ValidationInfo) -> float | None:
        daily = found.data.get("daily")
        if total is not None and daily is not None and total < daily:
            raise ValueError(f"expected at least the daily budget ({daily:g}), got {total:g}")
        return total


class CampaignDates(PlanSection):
    """First and last day, in the campaign's zone."""

    start: date
    end: date

    @field_validator("end")
    @classmethod
    def _order(cls, end: date, found: ValidationInfo) -> date:
        start = found.data.get("start")
        if start is not None and end < start:
            raise ValueError(f"expected a day not before the start ({start}), got {end}")
        return end

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


class PlannedKeyword(PlanSection):
    """A keyword, how it matches, and the most that a click may cost."""

    text: Annotated[str, Field(min_length=1, max_length=80)]
    match: MatchType = "phrase"
    bid: PositiveFloat | None = None


class CustomerSegment(PlanSection):
    """Customers by a score of a model (`adloop score`), as an audience of the platform.

    Attributes:
        scores: Parquet file or folder of scores, relative to the campaign's file.
        contacts: Parquet file of `customer_id`, `email` and `phone`, of which hashes alone leave.
        column: of the score.
        top: the best share of the customers by that score; `above` and `below` are bounds of it.
        lookalike: the platform looks for people like them.
    """

    name: Slug
    scores: str
    contacts: str
    column: Title
    top: Annotated[float, Field(gt=0, le=1)] | None = None
    above: float | None = None
    below: float | None = None
    lookalike: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> "CustomerSegment":
        if self.top is None and self.above is None and self.below is None:
            raise ValueError("expected top, above or below: an audience of all customers is no segment")
        return self


class PlannedAd(PlanSection):
    """An ad.

    Attributes:
        format: of `serving/content/formats.yaml`, whose limits its texts keep.
        image: URL of its picture.
        text_share: share of the picture that text covers, if its designer measured it; otherwise it is measured.
    """

    name: Slug
    url: PageUrl
    format: str | None = None
    headlines: Annotated[tuple[Wording, ...], Field(min_length=1, max_length=30)]
    bodies: Annotated[tuple[Wording, ...], Field(max_length=30)] = ()
    image: PageUrl | None = None
    text_share: Annotated[float, Field(ge=0, le=1)] | None = None


class PlannedAdGroup(PlanSection):
    """Ads that are shown to the same people.

    Attributes:
        bid: the most that a click may cost; from like campaigns where it is not set.
        audiences: names of the campaign's `segments`.
        countries: where it is shown; empty: where the platform's account says.
    """

    name: Slug
    bid: PositiveFloat | None = None
    keywords: Annotated[tuple[PlannedKeyword, ...], Field(max_length=1000)] = ()
    negative_keywords: Annotated[tuple[PlannedKeyword, ...], Field(max_length=1000)] = ()
    audiences: tuple[Slug, ...] = ()
    placements: tuple[Title, ...] = ()
    countries: tuple[Country, ...] = ()
    ads: Annotated[tuple[PlannedAd, ...], Field(min_length=1, max_length=100)]


class PlannedPlatform(PlanSection):
    """What runs on a platform.

    Attributes:
        account: the platform's id of the account.
        share: of the budget; what the others leave by default.
        options: further fields of the platform's campaign, as its capability table names them.
    """

    account: Title
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    options: dict[str, str | bool | float | list[str]] = Field(default_factory=dict)
    ad_groups: Annotated[tuple[PlannedAdGroup, ...], Field(min_length=1, max_length=200)]


class UtmTracking(PlanSection):
    """UTM parameters that are added to the URL of each ad; the campaign's name by default."""

    source: Title | None = None
    medium: Title = "cpc"
    campaign: Title | None = None


class Declarations(PlanSection):
    """What is declared of the campaign; unset means that nobody decided yet, and blocks the launch."""

    political: bool | None = None
    categories: tuple[RegulatedCategory, ...] | None = None


class RequiredApprovals(PlanSection):
    """What this campaign asks beyond the account's policy: so many people, of these roles."""

    count: Annotated[int, Field(ge=0, le=10)] = 0
    roles: tuple[Title, ...] = ()


class ChangeBounds(PlanSection):
    """Bounds of automatic changes; `campaigns` in `params.yaml` has the defaults.

    Attributes:
        bid: the highest bid.
        step: largest change of a bid or budget at once, as a share.
        attempts: most optimizations until a person looks.
    """

    bid: PositiveFloat | None = None
    step: Annotated[float, Field(gt=0, le=1)] | None = None
    attempts: PositiveInt | None = None


class CampaignPlan(PlanSection):
    """A campaign's file.

    Attributes:
        name: the campaign's id.
        account: adloop's account, whose limits and stops hold.
        holdout: share of the customers of its segments that never see it, for its assessment.
        sheet, brief: the product and the market that its copy is checked against.
    """

    name: Slug
    account: Title
    currency: Currency
    zone: Zone
    goal: CampaignGoal
    budget: PlannedBudget
    dates: CampaignDates
    holdout: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    tracking: UtmTracking | None = None
    declarations: Declarations = Declarations()
    approvals: RequiredApprovals = RequiredApprovals()
    limits: ChangeBounds = ChangeBounds()
    sheet: Sheet | None = None
    brief: Brief = Brief()
    segments: Annotated[tuple[CustomerSegment, ...], Field(max_length=50)] = ()
    platforms: Annotated[dict[PlatformName, PlannedPlatform], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "CampaignPlan":
        shares = [one.share for one in self.platforms.values() if one.share is not None]
        if sum(shares) > 1 + 1e-9 or (len(shares) == len(self.platforms) and sum(shares) < 1 - 1e-9):
            raise ValueError(f"platforms: expected shares of the budget that add up to 1, got {sum(shares):g}")
        if len(shares) < len(self.platforms) and sum(shares) > 1 - 1e-9:
            raise ValueError("platforms: expected a share of the budget for each, got none left for the last")
        known = {one.name for one in self.segments}
        for _, group in self.groups():
            unknown = sorted(set(group.audiences) - known)
            if unknown:
                raise ValueError(f"ad group {group.name}: audiences: expected names of segments, got '{unknown[0]}'")
        for name, platform in self.platforms.items():
            _once(f"platforms.{name}.ad_groups", [group.name for group in platform.ad_groups])
            for group in platform.ad_groups:
                _once(f"ad group {group.name}: ads", [ad.name for ad in group.ads])
        _once("segments", [one.name for one in self.segments])
        return self

    def groups(self) -> Iterator[tuple[str, PlannedAdGroup]]:
        """Each ad group with its platform."""
        for name, platform in self.platforms.items():
            yield from ((name, group) for group in platform.ad_groups)

    def ads(self) -> Iterator[tuple[str, PlannedAdGroup, PlannedAd]]:
        """Each ad with its platform and ad group."""
        for name, group in self.groups():
            yield from ((name, group, ad) for ad in group.ads)

    def share(self, platform: str) -> float:
        """The platform's share of the budget; those without one share what the others leave."""
        said = self.platforms[platform].share
        if said is not None:
            return said
        shares = [one.share for one in self.platforms.values()]
        return (1 - sum(one for one in shares if one is not None)) / shares.count(None)

    @property
    def starts_at(self) -> datetime:
        """The beginning of the first day, in UTC."""
        return _midnight(self.dates.start, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The end of the last day, in UTC."""
        return _midnight(self.dates.end + timedelta(days=1), self.zone)


def _once(where: str, names: list[str]) -> None:
    double = sorted({one for one in names if names.count(one) > 1})
    if double:
        raise ValueError(f"{where}: expected each name once, got '{double[0]}' again")


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
