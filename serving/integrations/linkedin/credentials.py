"""Credentials of LinkedIn Marketing."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class LinkedInCredentials(PlatformSettings):
    """Least scopes: `r_ads` and `r_ads_reporting` to read, `rw_ads` to write. The member's role in the ad account:
    campaign manager. What else LinkedIn grants by programmes of their own is asked for only where it is set here.

    Attributes:
        account: number of the ad account.
        version: month of the API; each lives about a year.
        organization: number of the page that posts are of (`w_organization_social`, `r_organization_social`).
        source_platform: the name that LinkedIn gave for audiences (`rw_dmp_segments`).
        leads: whether to read lead forms (`r_marketing_leadgen_automation`).
    """

    model_config = SettingsConfigDict(PlatformSettings.model_config, env_prefix="ADLOOP_LINKEDIN_")

    access_token: SecretStr
    account: str
    version: str = "202607"
    organization: str = ""
    source_platform: str = ""
    leads: bool = False
    url: str = "https://api.linkedin.com"
