#!/usr/bin/env bash
# Which images an environment runs now, as NAME=ADDRESS@DIGEST lines: what to go back to.
set -euo pipefail
server=$(kubectl get inferenceservice/decisions --namespace adloop \
  --output 'jsonpath={.spec.predictor.containers[0].image}')
trainer=$(kubectl get deployment/mlflow --namespace adloop --output 'jsonpath={.spec.template.spec.containers[0].image}')
printf 'server=%s\ntrainer=%s\n' "$server" "$trainer"
