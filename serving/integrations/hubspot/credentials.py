"""Credentials of HubSpot."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class HubSpotCredentials(PlatformSettings):
    """Least scopes of the private app: `crm.objects.contacts.read` and `.write`, `crm.lists.read` and `.write`,
    `crm.objects.deals.read`.

    Attributes:
        account: id of the hub, so that no other one is written to by mistake.
        version: `v3`, or the date of a version (`2026-03`).
        id_property: unique text of contacts: the customer's id.
        score_property, reason_property: number and text of contacts.
        marker_property: unique text of notes.
    """

    model_config = SettingsConfigDict(PlatformSettings.model_config, env_prefix="ADLOOP_HUBSPOT_")

    access_token: SecretStr
    account: str
    url: str = "https://api.hubapi.com"
    version: str = "v3"
    id_property: str = "adloop_id"
    score_property: str = "adloop_score"
    reason_property: str = "adloop_reason"
    marker_property: str = "adloop_marker"
