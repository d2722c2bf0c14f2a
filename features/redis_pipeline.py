"""Pipelined Redis commands: one round trip for many commands."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from features.redis_address import Address

#: No retries and short timeouts: a decision is answered conservatively instead of waiting.
_PATIENCE: dict[str, Any] = {"socket_connect_timeout": 0.25, "socket_timeout": 2, "retry": Retry(NoBackoff(), 0)}

Command = tuple[Any, ...]


#: Errors of a server that is not the primary (any more).
_ELSEWHERE = ("READONLY", "MASTERDOWN", "LOADING")


class RedisPipeline:
    """A pool of connections to one server, one per round trip. Thread-safe; each process needs its own.

    Several times faster than redis-py's pipelines, which check the connection, count, and choose a parser for each
    command. Responses are raw: a hash is a list of names and values.

    Behind Sentinels, new connections go to the current primary, and a server that is not the primary any more is left.

    Args:
        primary: read from the primary only, never from a replica.
    """

    def __init__(self, pool: Any, *, primary: bool) -> None:
        self._pool, self._primary = pool, primary
        self._free: deque[Any] = deque()

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The response to each command. Raises `redis.RedisError` or `OSError`; some commands may have run by then."""
        return self.send(commands)()

    def send(self, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        """Send commands now; the function that is returned waits for the responses. Both raise as `ask` does."""
        try:
            connection = self._free.pop()
        except IndexError:
            return self._sent(self._connected(), commands)
        try:
            return partial(self._received, self._sent(connection, commands), commands)
        except redis.ConnectionError:
            return self._afresh(commands)

    def _received(self, answers: Callable[[], list[Any]], commands: Sequence[Command]) -> list[Any]:
        """The responses over a connection that was used before."""
        try:
            return answers()
        except redis.ConnectionError:
            return self._afresh(commands)()

    def _afresh(self, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        """Send over a new connection: others were closed since they were used, or are of a primary that is none any
        more."""
        self._free.clear()
        return self._sent(self._connected(), commands)

    def _connected(self) -> Any:
        connection: Any = self._pool.make_connection()
        connection.connect()  # by which those behind Sentinels ask for the primary; sending alone would not
        if self._primary:
            connection.send_command("ROLE")
            role = connection.read_response()[0]
            if role not in ("master", b"master"):
                connection.disconnect()
                raise redis.ConnectionError("the server is a replica, which keeps nothing: its primary is elsewhere")
        return connection

    def _sent(self, connection: Any, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return partial(self._answers, connection, len(commands))

    def _answers(self, connection: Any, count: int) -> list[Any]:
        answers: list[Any] = []
        wrong: redis.ResponseError | None = None
        for _ in range(count):
            try:
                answers.append(connection.read_response())
            except redis.ResponseError as refused:  # the answers behind it are read, for the connection to go on
                wrong = wrong or refused
        if wrong is not None and _elsewhere(wrong):
            connection.disconnect()
            raise redis.ConnectionError(str(wrong)) from wrong
        self._free.append(connection)
        if wrong is not None:
            raise wrong
        return answers


class ClusterPipeline:
    """The same over the nodes of a cluster: each command goes to the node of its first key.

    Commands without a key go to all nodes, and answer as the first of them. `SCAN` answers with all keys at once.
    """

    def __init__(self, address: Address, *, text: bool) -> None:
        self._address, self._text = address, text
        self._cluster: Any = None
        self._nodes: dict[str, RedisPipeline] = {}

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """As `RedisPipeline.ask`. Asked again where keys moved to other nodes, or a node left."""
        try:
            return self._ask(commands)
        except (redis.exceptions.MovedError, redis.exceptions.AskError, redis.ConnectionError):
            self._cluster = None
            self._nodes.clear()
            return self._ask(commands)

    def send(self, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        """As `RedisPipeline.send`, sent when it is waited for: a node may turn out to be another."""
        return partial(self.ask, commands)

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        if self._cluster is None:
            self._cluster = self._address.cluster(**_PATIENCE)
        primaries = [node.name for node in self._cluster.get_primaries()]
        places: dict[str, list[int]] = {}
        answers: list[Any] = [None] * len(commands)
        for place, command in enumerate(commands):
            if command[0] == "SCAN":
                answers[place] = self._scanned(command, primaries)
                continue
            key = _key(command)
            for node in primaries if key is None else [self._cluster.get_node_from_key(key).name]:
                places.setdefault(node, []).append(place)
        for node, those in places.items():
            for place, answer in zip(those, self._trips(node).ask([commands[one] for one in those]), strict=True):
                answers[place] = answer
        return answers

    def _scanned(self, command: Command, primaries: Sequence[str]) -> list[Any]:
        """The keys of all nodes, with the cursor that says there are no more."""
        found: list[Any] = []
        end = "0" if self._text else b"0"
        for node in primaries:
            cursor: Any = "0"
            while True:
                ((cursor, keys),) = self._trips(node).ask([("SCAN", cursor, *command[2:])])
                found += keys
                if cursor == end:
                    break
        return [end, found]

    def _trips(self, node: str) -> RedisPipeline:
        if node not in self._nodes:
            host, _, port = node.rpartition(":")
            options: dict[str, Any] = {**self._address.credentials, **_PATIENCE, "decode_responses": self._text}
            pool = redis.Redis(host=host, port=int(port), **options).connection_pool
            self._nodes[node] = RedisPipeline(pool, primary=True)
        return self._nodes[node]


def redis_pipeline(url: str, *, text: bool, primary: bool = False) -> RedisPipeline | ClusterPipeline:
    """Round trips to the Redis at an address. Raises `ValueError` for an address that is none.

    Args:
        text: answers are text; else bytes.
        primary: a replica is not asked, though it could be read.
    """
    address = Address(url)
    if address.kind == "cluster":
        return ClusterPipeline(address, text=text)
    return RedisPipeline(address.pool(decode_responses=text, **_PATIENCE), primary=primary)


def _elsewhere(wrong: redis.ResponseError) -> bool:
    """Whether a refusal, also one from within a script, is that of a server that is no primary."""
    kinds = (redis.exceptions.ReadOnlyError, redis.exceptions.MasterDownError)
    return isinstance(wrong, kinds) or any(word in str(wrong) for word in _ELSEWHERE)


def _key(command: Command) -> Any:
    """The first key of a command; None where it has none."""
    if command[0] in ("SCRIPT", "SCAN", "PING"):
        return None
    return command[3] if command[0] == "EVALSHA" else command[1]
