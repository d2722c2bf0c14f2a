#!/usr/bin/env bash
# Open a shell in the cluster with the adloop command, the settings and the rights of pipelines: shell.sh
# Its pod is that of the trainer image which runs now, and goes when the shell ends.
set -euo pipefail
image=$(kubectl get deployment/mlflow --namespace adloop --output 'jsonpath={.spec.template.spec.containers[0].image}')
name=by-hand-$(date +%s)
pod=$(jq --arg image "$image" --arg name "$name" --from-file "$(dirname "$0")/shell.jq" --null-input)
# Network policies let out what belongs to a workflow.
kubectl run "$name" --namespace adloop --image "$image" --restart=Never --rm --stdin --tty \
  --labels workflows.argoproj.io/workflow=by-hand --overrides "$pod"
