"""Variables of Meta."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class MetaCredentials(PlatformSettings):
    """Least scopes of the token: `ads_management` and `ads_read`; make it for a system user, so that it does not end
    with a person's session.

    Attributes:
        access_token: of the system user.
        app_secret: signs calls, where the app demands a proof.
        account_id: the ad account, digits only.
        page_id: the page that ads speak for; needed to create ads.
        pixel_id: the dataset that conversions are sent to.
    """

    model_config = SettingsConfigDict(PlatformSettings.model_config, env_prefix="ADLOOP_META_")

    access_token: SecretStr
    account_id: str
    app_secret: SecretStr | None = None
    page_id: str = ""
    pixel_id: str = ""
    version: str = "v26.0"
    url: str = "https://graph.facebook.com"
