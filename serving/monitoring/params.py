"""The `monitoring` section of `params.yaml`."""

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class Monitoring(BaseModel):
    """Thresholds and schedule of monitoring.

    Attributes:
        threshold: probability of a false alarm per run, over all columns together.
        min_psi: minimum shift (population stability index), as with enough requests any shift is significant. By
            convention below .1 is no change, .1 to .25 a moderate and above .25 a large one. A column with natural
            movement before the reference has to move half as far again.
        min_rows: minimum number of logged rows for a result.
        window_rows: most logged rows to test, the newest.
        retrain: whether drift starts training on the cluster.
        schedule: schedule on the cluster, as Kubeflow's cron with seconds first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    threshold: float = Field(gt=0, lt=1)
    min_psi: float = Field(ge=0)
    min_rows: PositiveInt
    window_rows: PositiveInt
    retrain: bool
    schedule: str
