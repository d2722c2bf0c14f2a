"""What connects to a SendGrid account."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class SendGridCredentials(PlatformSettings):
    """Variables `ADLOOP_SENDGRID_…`.

    Least scopes of the key: `mail.send`, `messages.read` (the add-on Email Activity), `suppression.read`,
    `asm.groups.read`, `categories.read`, `categories.stats.read`, `user.username.read`.

    Attributes:
        account: user name of the account.
        sender: the verified address that e-mails come from.
        url: `https://api.eu.sendgrid.com` for accounts in the EU.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_SENDGRID_")

    account: str
    api_key: SecretStr
    sender: str
    url: str = "https://api.sendgrid.com"
