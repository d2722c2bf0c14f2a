"""Google's client, as its guides use it: reads an account and edits it. Prints what it saw as JSON.

`python google_ads_client.py ENDPOINT VERSION TOKEN DEVELOPER_TOKEN`
"""

import json
import sys

from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.oauth2.credentials import Credentials

endpoint, version, token, developer_token = sys.argv[1:]
CUSTOMER = "1234567890"
client = GoogleAdsClient(Credentials(token), developer_token, endpoint=endpoint, version=version, use_proto_plus=True)
service = client.get_service("GoogleAdsService")

query = "SELECT campaign.name, campaign.status, campaign_budget.amount_micros FROM campaign ORDER BY campaign.name"
campaigns = [
    [row.campaign.name, row.campaign.status.name, row.campaign_budget.amount_micros]
    for row in service.search(customer_id=CUSTOMER, query=query)
]
streamed = [
    row.ad_group_criterion.keyword.text
    for chunk in service.search_stream(
        customer_id=CUSTOMER,
        query="SELECT ad_group_criterion.keyword.text FROM ad_group_criterion WHERE ad_group_criterion.type = KEYWORD",
    )
    for row in chunk.results
]

# Partial failure, as the guide on it reads it: one ad group is made, one is not.
groups, operations = client.get_service("AdGroupService"), []
for bid in (500_000, 123):
    operation = client.get_type("AdGroupOperation")
    operation.create.name, operation.create.cpc_bid_micros = f"By hand {bid}", bid
    operation.create.campaign = client.get_service("CampaignService").campaign_path(CUSTOMER, "11")
    operations.append(operation)
request = client.get_type("MutateAdGroupsRequest")
request.customer_id, request.operations, request.partial_failure = CUSTOMER, operations, True
answer = groups.mutate_ad_groups(request=request)
failed = []
for detail in answer.partial_failure_error.details:
    failure = type(client.get_type("GoogleAdsFailure")).deserialize(detail.value)
    for error in failure.errors:
        path = [element.field_name for element in error.location.field_path_elements]
        failed.append([error.location.field_path_elements[0].index, path, error.error_code.bidding_error.name])

try:
    list(service.search(customer_id=CUSTOMER, query="SELECT campaign.colour FROM campaign"))
except GoogleAdsException as refused:
    told = [refused.failure.errors[0].error_code.query_error.name, refused.error.code().name, bool(refused.request_id)]

print(
    json.dumps(
        {
            "campaigns": campaigns,
            "keywords": streamed,
            "results": [one.resource_name for one in answer.results],
            "failed": failed,
            "refused": told,
        }
    )
)
