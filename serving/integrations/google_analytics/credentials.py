"""What connects to a Google Analytics 4 property."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class GoogleAnalyticsCredentials(PlatformSettings):
    """Variables `ADLOOP_GOOGLE_ANALYTICS_…`.

    Least scopes: `analytics.readonly` to read, `analytics.edit` for audiences; the service account needs the role
    Viewer or, for audiences, Editor of the property.

    Attributes:
        property: number of the property; it is the account.
        service_account: the JSON key of a service account.
        measurement_id, api_secret: of the stream that events are sent to; without them none are.
        customer_dimension: the user-scoped custom dimension with the customer's id.
    """

    model_config = SettingsConfigDict(env_prefix="ADLOOP_GOOGLE_ANALYTICS_")

    property: str
    service_account: SecretStr
    measurement_id: str = ""
    api_secret: SecretStr = SecretStr("")
    customer_dimension: str = "customer_id"
    data_url: str = "https://analyticsdata.googleapis.com"
    admin_url: str = "https://analyticsadmin.googleapis.com"
    admin_version: str = "v1alpha"
    collect_url: str = "https://www.google-analytics.com"
