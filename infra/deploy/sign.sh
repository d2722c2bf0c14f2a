#!/usr/bin/env bash
# Sign an image and attach what it consists of, as the workflow that runs this, without a key: sign.sh ADDRESS@DIGEST SBOM
set -euo pipefail
image=${1:?which image? ADDRESS@sha256:...}
sbom=${2:?which SBOM? the file that sbom.sh wrote}
cosign sign --yes "$image"
cosign attest --yes --type cyclonedx --predicate "$sbom" "$image"
