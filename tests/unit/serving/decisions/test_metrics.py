"""Every observation is exposed once, whether it waited for others or not."""

from concurrent.futures import ThreadPoolExecutor

from serving.decisions import metrics


def told(name: str) -> float:
    lines = metrics.exposed().decode().splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_each_observation_counts_once_also_those_of_several_threads() -> None:
    before = told("adloop_group_size_count"), told("adloop_group_size_sum")
    each = metrics._MOST_SEEN + 10

    def observe(_: int) -> None:
        for size in range(each):
            metrics.observe(metrics.GROUP, size)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(observe, range(4)))
    assert told("adloop_group_size_count") - before[0] == 4 * each
    assert told("adloop_group_size_sum") - before[1] == 4 * sum(range(each))
    assert told("adloop_group_size_count") - before[0] == 4 * each
