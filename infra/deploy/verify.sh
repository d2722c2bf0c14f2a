#!/usr/bin/env bash
# Refuse an image that the deploy workflow of the branch main did not sign: verify.sh ADDRESS@DIGEST REPOSITORY
set -euo pipefail
image=${1:?which image? ADDRESS@sha256:...}
repository=${2:?which repository? OWNER/NAME on GitHub}
signer=(--certificate-oidc-issuer https://token.actions.githubusercontent.com
  --certificate-identity "https://github.com/$repository/.github/workflows/deploy.yml@refs/heads/main")
cosign verify "${signer[@]}" "$image" > /dev/null
cosign verify-attestation "${signer[@]}" --type cyclonedx "$image" > /dev/null
