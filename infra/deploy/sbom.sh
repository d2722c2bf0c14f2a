#!/usr/bin/env bash
# Write what an image's Python environment consists of, as CycloneDX: sbom.sh LOCK OUT
# torch, whose build the Dockerfile chooses, is in no lock; packages of the base image are what the registry scans.
set -euo pipefail
lock=${1:?which lock? infra/images/serve.lock or infra/images/train.lock}
out=${2:?which file to write?}
uvx --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible --of JSON --output-file "$out" "$lock"
