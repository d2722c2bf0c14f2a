"""Reports of the Data API: visits of known customers, as `touches`."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta.services.beta_analytics_data.transports import BetaAnalyticsDataRestTransport
from google.analytics.data_v1beta.types import DateRange, Dimension, Metric, OrderBy, RunReportRequest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from requests import RequestException

from serving.integrations.change import PlatformFault
from serving.integrations.credentials import USER_AGENT
from serving.integrations.google_analytics import quota
from serving.integrations.google_analytics.credentials import GoogleAnalyticsCredentials
from serving.integrations.google_analytics.login import ServiceAccountLogin, expired
from serving.integrations.platform import CallRefused, Denied, Throttled, Unanswered
from serving.integrations.rest import PATIENCE_S

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("adloop.google_analytics")

_PAGE = 10_000
_DIMENSIONS = ("dateHour", "sessionCampaignId", "sessionDefaultChannelGroup")
#: What Google writes where it knows nothing.
_UNKNOWN = ("", "(not set)", "(other)")


class GoogleAnalyticsReports:
    """Reports of a property. None is repeated, and none is asked for when its quota is short."""

    def __init__(self, credentials: GoogleAnalyticsCredentials, login: ServiceAccountLogin) -> None:
        address = urlsplit(credentials.data_url)
        transport = BetaAnalyticsDataRestTransport(
            host=address.netloc, url_scheme=address.scheme, credentials=AnonymousCredentials()
        )
        self._client, self._login = BetaAnalyticsDataClient(transport=transport), login
        self._property = f"properties/{credentials.property}"
        self._customer = f"customUser:{credentials.customer_dimension}"
        self._until, self._short = 0.0, ""

    def touches(self, day: date) -> "pa.Table | None":
        """Table `touches` of a day of the property: a row an hour in which a customer came by a campaign; they
        responded where a key event followed."""
        import pyarrow as pa

        rows, zone = list[tuple[str, datetime, str, str, bool]](), ZoneInfo("UTC")
        for page in self._pages(day):
            zone = ZoneInfo(page.metadata.time_zone or "UTC")
            for row in page.rows:
                customer, hour, campaign, channel = (one.value for one in row.dimension_values)
                if customer not in _UNKNOWN and campaign not in _UNKNOWN:
                    at = datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
                    rows.append((customer, at, campaign, channel, float(row.metric_values[1].value) > 0))
        if not rows:
            return None
        customers, hours, campaigns, channels, responded = zip(*rows, strict=True)
        answered = [hour if one else None for hour, one in zip(hours, responded, strict=True)]
        return pa.table(
            {
                "customer_id": customers,
                "occurred_at": pa.array(hours, pa.timestamp("us")),
                "zone": [zone.key] * len(rows),
                "campaign_id": campaigns,
                "channel": channels,
                "responded_at": pa.array(answered, pa.timestamp("us")),
            }
        )

    def tokens(self) -> int:
        """Tokens of the day that are left."""
        asked = RunReportRequest(
            property=self._property,
            metrics=[Metric(name="sessions")],
            date_ranges=[DateRange(start_date="yesterday", end_date="yesterday")],
            return_property_quota=True,
        )
        return int(self._report(asked).property_quota.tokens_per_day.remaining)

    def _pages(self, day: date) -> Iterator[Any]:
        names, offset = (self._customer, *_DIMENSIONS), 0
        order = [OrderBy(dimension=OrderBy.DimensionOrderBy(dimension_name=name)) for name in names]
        while True:
            page = self._report(
                RunReportRequest(
                    property=self._property,
                    dimensions=[Dimension(name=name) for name in names],
                    metrics=[Metric(name="sessions"), Metric(name="keyEvents")],
                    date_ranges=[DateRange(start_date=day.isoformat(), end_date=day.isoformat())],
                    order_bys=order,
                    limit=_PAGE,
                    offset=offset,
                    return_property_quota=True,
                )
            )
            _doubt(day, page.metadata)
            yield page
            offset += len(page.rows)
            if not page.rows or offset >= page.row_count:
                return

    def _report(self, asked: RunReportRequest) -> Any:
        now = datetime.now(UTC)
        if self._until > now.timestamp():
            raise Throttled(self._until - now.timestamp(), f"google_analytics: {self._short} are short")
        headers = [("authorization", f"Bearer {self._login.token()}"), ("user-agent", USER_AGENT)]
        try:
            answer = self._client.run_report(asked, retry=None, timeout=PATIENCE_S, metadata=headers)
        except exceptions.GoogleAPICallError as refused:
            raise _fault(refused) from None
        except GoogleAuthError:  # the transport tries to log in again, which it cannot
            raise expired() from None
        except RequestException as fault:
            raise Unanswered(f"google_analytics: report: no answer ({type(fault).__name__})") from None
        told = answer.property_quota
        left = {
            field: int(getattr(told, field).remaining)
            for field in told._meta.fields
            if field in told and getattr(told, field)
        }
        cost = int(told.tokens_per_day.consumed) if told else 0
        wait, self._short = quota.spent(left, cost, now)
        self._until = now.timestamp() + wait
        return answer


def _doubt(day: date, metadata: Any) -> None:
    """Warn where Google leaves rows out."""
    if metadata.subject_to_thresholding:
        log.warning("%s: Google withholds rows of few users (thresholding): touches are too few", day)
    if metadata.data_loss_from_other_row or metadata.sampling_metadatas:
        log.warning("%s: Google sampled the report or joined rows to (other): touches are too few", day)


def _fault(refused: exceptions.GoogleAPICallError) -> Exception:
    message = f"google_analytics: {refused.message}"
    match refused.code:
        case 401:
            return expired()
        case 403:
            return Denied(f"{message}; give the service account a role in the property and enable the Data API")
        case 429:
            return Throttled(quota.wait_s(str(refused.message)), message)
        case code if code is not None and code < 500:
            return CallRefused(PlatformFault(str(code), str(refused.message)))
        case code:
            return Unanswered(f"google_analytics: report: answered {code}")
