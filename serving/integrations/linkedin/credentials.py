"""Credentials of LinkedIn Marketing."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class LinkedInCredentials(PlatformSettings):
    """Least scopes: `r_ads` and `r_ads_reporting` to read, `rw_ads` to write; `r_marketing_leadgen_automation` for
    leads, `w_organization_social` for posts, `rw_dmp_segments` for audiences. The role in the ad account: campaign
    manager.

    Attributes:
        account: number of the ad account.
        version: month of the API; each lives about a year.
    """

    model_config = SettingsConfigDict(PlatformSettings.model_config, env_prefix="ADLOOP_LINKEDIN_")

    access_token: SecretStr
    account: str
    version: str = "202607"
    url: str = "https://api.linkedin.com"
