#!/usr/bin/env bash
# Wait for the registry's scan of an image and refuse it if a finding is critical: scan.sh ADDRESS@DIGEST
set -euo pipefail
image=${1:?which image? ADDRESS@sha256:...}
repository=${image#*/}
asked=(--repository-name "${repository%@*}" --image-id "imageDigest=${image#*@}")

aws ecr wait image-scan-complete "${asked[@]}"
found=$(aws ecr describe-image-scan-findings "${asked[@]}" --query imageScanFindings.findingSeverityCounts --output json)
echo "$image: $found"
[ "$(jq '.CRITICAL // 0' <<< "$found")" = 0 ] || { echo "critical findings: update the base image or the package" >&2; exit 1; }
