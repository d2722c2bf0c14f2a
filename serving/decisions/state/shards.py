"""Scripts on a Redis cluster, where each can only use the keys of one account."""

from collections.abc import Sequence
from typing import Any

from features.redis_pipeline import ClusterPipeline, Command, RedisPipeline, redis_pipeline


class Sharded:
    """Round trips to a cluster, for scripts with two keys: the account's, and one shared by all accounts.

    The shared key is read first, and copied to the node of the account's keys just before the script.
    """

    def __init__(self, nodes: ClusterPipeline, shared: str) -> None:
        self._nodes, self._shared = nodes, shared

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """As `ClusterPipeline.ask`."""
        if not any(command[0] == "EVALSHA" for command in commands):
            return self._nodes.ask(commands)
        (said,) = self._nodes.ask([("GET", self._shared)])
        calls: list[Command] = []
        asked: list[int] = []
        for command in commands:
            if command[0] == "EVALSHA":
                copy = f"{command[3]}:shared"
                calls.append(("SET", copy, said or ""))
                command = (*command[:4], copy, *command[5:])
            asked.append(len(calls))
            calls.append(command)
        answers = self._nodes.ask(calls)
        return [answers[place] for place in asked]


def scripted(url: str, shared: str) -> RedisPipeline | Sharded:
    """Round trips to the primary or, in a cluster, to the primaries, for scripts that read this shared key."""
    found = redis_pipeline(url, text=True, primary=True)
    return Sharded(found, shared) if isinstance(found, ClusterPipeline) else found
