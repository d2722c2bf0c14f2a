"""What connects to a Mailgun domain."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class MailgunCredentials(PlatformSettings):
    """Variables `ADLOOP_MAILGUN_…`.

    The key is an API key of the account with the role Developer: a domain's sending key may send, but reads no events
    and no suppressions.

    Attributes:
        domain: the sending domain; it is the account.
        sender: the address that e-mails come from.
        url: `https://api.eu.mailgun.net` for domains in the EU.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_MAILGUN_")

    domain: str
    api_key: SecretStr
    sender: str
    url: str = "https://api.mailgun.net"
