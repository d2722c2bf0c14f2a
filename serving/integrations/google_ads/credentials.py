"""What it takes to call Google Ads."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings

ENDPOINT = "googleads.googleapis.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _digits(value: object) -> object:
    return value.replace("-", "") if isinstance(value, str) else value


def _encrypted(value: str) -> str:
    """The endpoint; `http://` means plain text, which tokens may only take within this machine."""
    if value.startswith("http://") and urlsplit(value).hostname not in LOOPBACK:
        raise ValueError("expected a host, or http:// with a loopback address: tokens are sent over TLS only")
    return value.removeprefix("https://")


CustomerId = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^\d{10}$")]


class GoogleAdsCredentials(PlatformSettings):
    """Variables `ADLOOP_GOOGLE_ADS_...`. Least scope: `https://www.googleapis.com/auth/adwords`, by a login with
    standard access to the one account.

    Attributes:
        customer_id: the account, ten digits; dashes are left out.
        login_customer_id: the manager account that the login comes by; empty where it has the account itself.
        developer_token: of the manager account's API centre.
        client_id, client_secret, refresh_token: of the OAuth client and the login.
        user_email: of the login. With it, edits by others through the API are told apart from adloop's own.
        eu_political: declares for new campaigns whether they contain political advertising in the EU, which Google asks
            of each; a change's own `eu_political` goes first.
        version: API version.
        endpoint: host, or `http://127.0.0.1:PORT` of a stand-in without TLS.
        token_uri: where logins are renewed.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_GOOGLE_ADS_")

    customer_id: CustomerId
    login_customer_id: CustomerId | Literal[""] = ""
    developer_token: SecretStr
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr
    user_email: str = ""
    eu_political: bool | None = None
    version: Literal["v23", "v24", "v25", "v26"] = "v26"
    endpoint: Annotated[str, AfterValidator(_encrypted)] = ENDPOINT
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
