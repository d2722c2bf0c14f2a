# A merge patch that adds a canary with the image $image to an InferenceService: its own predictor with another image and
# name. What KServe refuses of a canary is left out, as a canary has its share of the others' replicas.
{
  spec: {
    canary: [
      {
        trafficPercent: 10,
        predictor: (
          .spec.predictor
          | del(.minReplicas, .maxReplicas, .scaleMetric, .scaleTarget)
          | .name = "c" + ($image | split("sha256:")[1][:12])
          | .containers[0].image = $image
        )
      }
    ]
  }
}
