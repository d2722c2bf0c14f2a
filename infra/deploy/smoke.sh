#!/usr/bin/env bash
# Ask a deployment for one decision and its health: smoke.sh URL
# ADLOOP_API_KEY is a key with the scope decide. The account has no budget, so that nothing is spent.
set -euo pipefail
url=${1:?which address? https://...}
: "${ADLOOP_API_KEY:?a key with the scope decide}"

curl --fail --silent --show-error --retry 10 --retry-all-errors "$url/health/ready" > /dev/null
asked='{"opportunity_id": "smoke-'$(date +%s)'", "occurred_at": '$(date +%s)', "account_id": "smoke",
  "campaign_id": "smoke", "current_bid": 0.1, "features": {"predicted_value": 0.001}}'
answer=$(curl --fail --silent --show-error --header @- --data "$asked" "$url/v1/decisions" \
  <<< "authorization: Bearer $ADLOOP_API_KEY")
echo "$answer"
jq --exit-status '.decision_id and .action' <<< "$answer" > /dev/null
