#!/usr/bin/env bash
# Write what an image's Python environment consists of, as CycloneDX: sbom.sh LOCK OUT
set -euo pipefail
lock=${1:?which lock? infra/images/serve.lock or infra/images/train.lock}
out=${2:?which file to write?}
uvx --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible --of JSON --outfile "$out" "$lock"
