"""Google Ads over gRPC, by the services of Google's own client library (google-ads 34, API v23 to v26, November 2026).

All writes are one call of `GoogleAdsService.Mutate`, all reads are GAQL queries of `GoogleAdsService.SearchStream`. The
API has no idempotency keys: names of campaigns and ad groups end with the change's marker, ads carry it as the custom
URL parameter `adloop`. Keywords need none: Google keeps one of a text and match in each ad group, and in each campaign
of negative ones; creating it again updates it.
"""
