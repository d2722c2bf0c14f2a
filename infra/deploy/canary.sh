#!/usr/bin/env bash
# Try a new server image on a tenth of the decisions before all of them get it:
#   canary.sh start IMAGE     a canary with this image beside the replicas that decide now
#   canary.sh judge SECONDS   succeeds if for so long its requests failed no more, and took no longer, than the others'
#   canary.sh end             without a canary again: after apply.sh has promoted it, and to roll it back
# Replicas share budgets in Redis, so a canary cannot spend money twice. `judge` asks the Prometheus at PROMETHEUS_URL.
set -euo pipefail

decisions=(inferenceservice/decisions --namespace adloop)

start() {
  kubectl get "${decisions[@]}" --output json |
    jq --arg image "$1" --from-file "$(dirname "$0")/canary.jq" |
    kubectl patch "${decisions[@]}" --type merge --patch-file /dev/stdin
  kubectl wait "${decisions[@]}" --for=condition=Ready --timeout=15m
}

# The value of a query; 0 where there is none, or nothing was counted.
ask() {
  curl --fail --silent --show-error --get "$PROMETHEUS_URL/api/v1/query" --data-urlencode "query=$1" |
    jq --raw-output '.data.result[0].value[1] // "0" | sub("NaN"; "0")'
}

# Whether the canary is worse in what is given as a query of the pods with "PODS", beyond what is tolerated.
worse() {
  local new old
  new=$(ask "${2//PODS/pod=~\"$canary\"}") || exit 1
  old=$(ask "${2//PODS/pod!~\"$canary\"}") || exit 1
  echo "$1: canary $new, others $old"
  awk -v new="$new" -v old="$old" "BEGIN { exit !($3) }"
}

judge() {
  local image ends count='adloop_request_seconds_count{path="/v1/decisions",PODS'
  image=$(kubectl get "${decisions[@]}" --output 'jsonpath={.spec.canary[0].predictor.containers[0].image}')
  ends=$((SECONDS + $1))
  while [ "$SECONDS" -lt "$ends" ]; do
    sleep "${LOOK_S:-30}"
    canary=$(kubectl get pods --namespace adloop --selector adloop/role=decisions --output json |
      jq --raw-output --arg image "$image" '[.items[] | select(.spec.containers[].image == $image) | .metadata.name] | join("|")')
    [ -n "$canary" ] || { echo "no pod runs $image" >&2; return 1; }
    if worse "share of failed requests" "sum(rate($count,status=~\"5..\"}[5m])) / sum(rate($count}[5m]))" 'new > old + 0.01' ||
      worse "99% took, s" "histogram_quantile(0.99, sum by (le) (rate(adloop_request_seconds_bucket{path=\"/v1/decisions\",PODS}[5m])))" 'new > 1.5 * old + 0.02' ||
      worse "failures a second" 'sum(rate(adloop_faults_total{PODS}[5m])) / count(adloop_unready{part="log",PODS})' 'new > 2 * old + 0.1'; then
      echo "the canary is worse" >&2
      return 1
    fi
  done
  # Without traffic nothing was shown.
  awk -v asked="$(ask "sum(increase(${count//PODS/pod=~\"$canary\"}}[$1s]))")" 'BEGIN { exit !(asked >= 100) }' ||
    { echo "the canary decided fewer than 100 requests in $1 s: nothing is known of it" >&2; return 1; }
}

end() {
  kubectl patch "${decisions[@]}" --type merge --patch '{"spec": {"canary": null}}'
  kubectl wait "${decisions[@]}" --for=condition=Ready --timeout=15m
}

case ${1:-} in
  start | judge) "$1" "${2:?$1 needs an image or seconds}" ;;
  end) end ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
