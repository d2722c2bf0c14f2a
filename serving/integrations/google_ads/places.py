"""Where campaigns are shown: countries (`DE`), which Google has as location criteria of campaigns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.integrations.change import Change
from serving.integrations.google_ads.connection import GoogleAdsConnection
from serving.integrations.google_ads.fields import refused


@dataclass(frozen=True)
class CampaignPlaces:
    """Attributes:
    constants: Google's constant of each country.
    targeted: by campaign id, the location criteria by country; other places by Google's number.
    """

    constants: Mapping[str, str]
    targeted: Mapping[str, Mapping[str, str]]

    def operations(self, change: Change, campaign: str, empty: Callable[[], Any]) -> Iterator[Any]:
        """The operations that leave a campaign (its resource name) with the countries of a change."""
        wanted, there = change.fields["countries"], self.targeted.get(change.target, {})
        known = isinstance(wanted, list) and all(isinstance(one, str) and one in self.constants for one in wanted)
        if not known:
            raise refused("countries", "a list of countries such as DE", wanted)
        for country in sorted(set(wanted) - set(there)):
            operation = empty()
            made = operation.campaign_criterion_operation.create
            made.campaign, made.location.geo_target_constant = campaign, self.constants[country]
            yield operation
        for country in sorted(set(there) - set(wanted)):
            operation = empty()
            operation.campaign_criterion_operation.remove = there[country]
            yield operation


def places(connection: GoogleAdsConnection, changes: Sequence[Change]) -> CampaignPlaces:
    """What the changes need to know; nothing where they name no countries."""
    asking = [change for change in changes if "countries" in change.fields]
    if not asking:
        return CampaignPlaces({}, {})
    customer = connection.credentials.customer_id
    campaigns = [f"'customers/{customer}/campaigns/{change.target}'" for change in asking if change.target.isdigit()]
    return CampaignPlaces(_countries(connection), targeted(connection, campaigns) if campaigns else {})


def targeted(connection: GoogleAdsConnection, campaigns: Iterable[str] | None) -> dict[str, dict[str, str]]:
    """The location criteria of campaigns (quoted resource names; None for all), by campaign and country."""
    within = "" if campaigns is None else f" AND campaign_criterion.campaign IN ({', '.join(campaigns)})"
    rows = connection.query(
        "SELECT campaign_criterion.campaign, campaign_criterion.location.geo_target_constant"  # noqa: S608 (GAQL)
        " FROM campaign_criterion WHERE campaign_criterion.type = LOCATION AND campaign_criterion.negative = FALSE"
        f" AND campaign_criterion.status != REMOVED{within}"
    )
    criteria = [row.campaign_criterion for row in rows]
    names = {constant: country for country, constant in _countries(connection).items()} if criteria else {}
    found = dict[str, dict[str, str]]()
    for one in criteria:
        constant = one.location.geo_target_constant
        place = names.get(constant, constant.rpartition("/")[2])
        found.setdefault(one.campaign.rpartition("/")[2], {})[place] = one.resource_name
    return found


def _countries(connection: GoogleAdsConnection) -> dict[str, str]:
    """Google's constants of countries by their code."""
    rows = connection.query(
        "SELECT geo_target_constant.country_code FROM geo_target_constant"
        " WHERE geo_target_constant.target_type = 'Country'"
    )
    return {row.geo_target_constant.country_code: row.geo_target_constant.resource_name for row in rows}
