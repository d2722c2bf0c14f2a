"""The login of a service account: a token for an hour at a time."""

import json

import requests
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from serving.integrations.credentials import USER_AGENT, NotConnected
from serving.integrations.google_analytics.credentials import GoogleAnalyticsCredentials
from serving.integrations.platform import LoginExpired, Unanswered

SCOPES = ("https://www.googleapis.com/auth/analytics.readonly", "https://www.googleapis.com/auth/analytics.edit")
_KEY = "ADLOOP_GOOGLE_ANALYTICS_SERVICE_ACCOUNT"


class ServiceAccountLogin:
    """Attributes:
    email: of the service account.
    """

    def __init__(self, credentials: GoogleAnalyticsCredentials) -> None:
        try:
            told = json.loads(credentials.service_account.get_secret_value())
            self._credentials = Credentials.from_service_account_info(told, scopes=SCOPES)
        except (ValueError, GoogleAuthError):
            raise NotConnected(f"{_KEY}: expected the JSON key of a service account") from None
        self.email = str(told["client_email"])
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT

    def token(self) -> str:
        """A token that is valid now."""
        if not self._credentials.valid:
            try:
                self._credentials.refresh(Request(self._session))
            except TransportError as fault:
                raise Unanswered(f"google_analytics: login: no answer ({type(fault).__name__})") from None
            except GoogleAuthError:
                raise expired() from None
        return str(self._credentials.token)

    def close(self) -> None:
        self._session.close()


def expired() -> LoginExpired:
    """What to do about a login that is over."""
    return LoginExpired(f"google_analytics: the login is not taken; make a new key of the service account, set {_KEY}")
