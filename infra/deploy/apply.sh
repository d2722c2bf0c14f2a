#!/usr/bin/env bash
# Bring an environment to these images and wait until they serve: apply.sh ENVIRONMENT SERVER TRAINER
# ENVIRONMENT is a folder of infra/kubernetes/overlays, the images are ADDRESS@sha256:... With DRY_RUN set, the objects
# are printed and nothing is changed.
set -euo pipefail
environment=${1:?which environment? staging or production}
server=${2:?which server image? ADDRESS@sha256:...}
trainer=${3:?which trainer image? ADDRESS@sha256:...}

copy=$(mktemp -d)
trap 'rm -r "$copy"' EXIT
cp -r infra/kubernetes "$copy"
overlay=$copy/kubernetes/overlays/$environment
for pair in "adloop/server $server" "adloop/trainer $trainer"; do
  read -r name image <<< "$pair"
  sed -i "\\|- name: $name\$|,\\|digest:| { s|newName:.*|newName: ${image%@*}|; s|digest:.*|digest: ${image#*@}| }" \
    "$overlay/kustomization.yaml"
done

if [ -n "${DRY_RUN:-}" ]; then
  kubectl kustomize "$overlay"
  exit
fi
kubectl apply -k "$overlay"
kubectl -n adloop rollout status deployment/mlflow --timeout=15m
kubectl -n adloop wait --for=condition=Ready inferenceservice/decisions inferenceservice/texts --timeout=15m
