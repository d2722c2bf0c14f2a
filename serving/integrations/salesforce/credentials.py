"""Credentials of Salesforce."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from serving.integrations.credentials import PlatformSettings


class SalesforceCredentials(PlatformSettings):
    """Least rights of the token's user: the scope `api`; read, create and edit on leads, contacts, tasks and campaigns,
    read on opportunities, and edit on the custom fields below. No right to change owners.

    Attributes:
        access_token: ends after some hours; not needed with the two next, by which a new one is fetched.
        client_id, client_secret: of an app that may use the flow of client credentials.
        account: id of the organization, so that no other one is written to by mistake.
        url: `https://example.my.salesforce.com`.
        id_field: external id (text, unique) of leads and contacts: the customer's id.
        score_field, reason_field: number, and text of 255 signs, of leads and contacts.
        marker_field: external id (text, unique) of activities and campaigns.
    """

    model_config = SettingsConfigDict(PlatformSettings.model_config, env_prefix="ADLOOP_SALESFORCE_")

    account: str
    url: str
    access_token: SecretStr = SecretStr("")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    version: str = "59.0"
    id_field: str = "adloop_id__c"
    score_field: str = "adloop_score__c"
    reason_field: str = "adloop_reason__c"
    marker_field: str = "adloop_marker__c"
