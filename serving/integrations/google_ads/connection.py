"""The connection to Google Ads: one channel, the login, and calls that are sent once each."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from threading import Lock
from typing import Any

import grpc

from serving.integrations.credentials import USER_AGENT
from serving.integrations.google_ads.credentials import GoogleAdsCredentials
from serving.integrations.google_ads.errors import told

#: Seconds until a call counts as unanswered.
PATIENCE_S = 60.0
SCOPE = "https://www.googleapis.com/auth/adwords"
#: No transparent retry either: a repeated mutate makes a second object.
OPTIONS = (
    ("grpc.primary_user_agent", USER_AGENT),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 16 * 1024 * 1024),
)


class GoogleAdsConnection:
    """Services and messages of the configured API version. Messages are plain protocol buffers, as the wrapped ones of
    the library take ten times as long to fill."""

    def __init__(self, credentials: GoogleAdsCredentials) -> None:
        self.credentials, self._turn = credentials, Lock()
        self._package = f"google.ads.googleads.{credentials.version}"
        self._channel = _channel(credentials)
        self._services = dict[str, Any]()
        self._login: Any = None

    def message(self, module: str, name: str) -> Any:
        """An empty message of a module below the version's package: `services.types.google_ads_service`."""
        return getattr(import_module(f"{self._package}.{module}"), name).pb()()

    def mutate(self, operations: Sequence[Any], partial_failure: bool, validate_only: bool) -> Any:
        """The answer to a batch of operations."""
        request = self.message("services.types.google_ads_service", "MutateGoogleAdsRequest")
        request.customer_id = self.credentials.customer_id
        request.mutate_operations.extend(operations)
        request.partial_failure, request.validate_only = partial_failure, validate_only
        return self.call("google_ads_service", "mutate", request)

    def query(self, gaql: str) -> Iterator[Any]:
        """The rows of a query, as they come."""
        request = self.message("services.types.google_ads_service", "SearchGoogleAdsStreamRequest")
        request.customer_id, request.query = self.credentials.customer_id, gaql
        try:
            for chunk in self._send("google_ads_service", "search_stream", request):
                yield from type(chunk).pb(chunk).results
        except Exception as fault:
            raise told(fault, self.credentials) from None

    def call(self, service: str, method: str, request: Any) -> Any:
        """The answer of a method with one answer. Raises the errors of a platform."""
        try:
            answer = self._send(service, method, request)
        except Exception as fault:
            raise told(fault, self.credentials) from None
        return type(answer).pb(answer)

    def close(self) -> None:
        self._channel.close()

    def _send(self, service: str, method: str, request: Any) -> Any:
        answer = getattr(self._service(service), method)
        return answer(request=request, metadata=self.metadata(), timeout=PATIENCE_S, retry=None)

    def _service(self, name: str) -> Any:
        if name not in self._services:
            from google.api_core.gapic_v1.client_info import ClientInfo

            module = import_module(f"{self._package}.services.services.{name}")
            client = getattr(module, "".join(part.capitalize() for part in name.split("_")) + "Client")
            transport = client.get_transport_class("grpc")
            self._services[name] = client(
                transport=transport(channel=self._channel, client_info=ClientInfo(user_agent=USER_AGENT))
            )
        return self._services[name]

    def metadata(self) -> list[tuple[str, str]]:
        """What goes with each call: the login, the developer token, and the manager account."""
        said = [("authorization", f"Bearer {self._token()}")]
        said.append(("developer-token", self.credentials.developer_token.get_secret_value()))
        if self.credentials.login_customer_id:
            said.append(("login-customer-id", self.credentials.login_customer_id))
        return said

    def _token(self) -> str:
        """An access token that is valid now; renews the login where it is over."""
        from google.auth.transport.requests import Request
        from google.oauth2.credentials import Credentials
        from requests import Session

        with self._turn:
            if self._login is None:
                self._login = Credentials(
                    None,
                    refresh_token=self.credentials.refresh_token.get_secret_value(),
                    token_uri=self.credentials.token_uri,
                    client_id=self.credentials.client_id,
                    client_secret=self.credentials.client_secret.get_secret_value(),
                    scopes=[SCOPE],
                )
            if not self._login.valid:
                with Session() as session:
                    session.headers["user-agent"] = USER_AGENT
                    self._login.refresh(Request(session=session))
            return str(self._login.token)


def _channel(credentials: GoogleAdsCredentials) -> Any:
    if credentials.endpoint.startswith("http://"):
        return grpc.insecure_channel(credentials.endpoint.removeprefix("http://"), OPTIONS)
    return grpc.secure_channel(credentials.endpoint, grpc.ssl_channel_credentials(), OPTIONS)
