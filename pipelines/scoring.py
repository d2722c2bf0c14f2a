"""The pipeline that scores rows with a family's champion, several pods at a time."""

from kfp import dsl
from kfp.dsl.graph_component import GraphComponent

from components.score.component import score
from pipelines.compute import place

#: Pods that share the partitions.
PODS = 8


def scoring(family: str) -> GraphComponent:
    """The scoring pipeline of `family`. A pod that is lost goes on, when it is retried, with what is missing."""

    @dsl.pipeline(name=f"score-{family}", description=f"{family}: scores of Parquet files, a file for each partition.")
    def score_all(data: str, out: str, version: str = "") -> None:
        with dsl.ParallelFor(list(range(PODS)), name="pods") as shard:
            place(family, score(family=family, data=data, out=out, version=version, shard=shard, shards=PODS))

    return score_all
