"""Redis by the round trip: commands go out together, all answers come back, and nothing is done in between."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: No retries and short waits: whoever waits for a decision is answered conservatively at once.
_PATIENCE: dict[str, Any] = {"socket_connect_timeout": 0.25, "socket_timeout": 2, "retry": Retry(NoBackoff(), 0)}

Command = tuple[Any, ...]


class Trips:
    """Connections to one server, one a round trip. Threads may share them; processes open their own.

    The pipelines of redis-py's client would do, and take several times as long: for each of a decision's dozen commands
    they look whether the connection lives, count, and choose how to read the answer. Here commands answer plainly: a
    hash as a list of names and values.

    Args:
        text: answers are text; else bytes.
    """

    def __init__(self, url: str, *, text: bool) -> None:
        self._pool = redis.ConnectionPool.from_url(url, decode_responses=text, **_PATIENCE)
        self._free: deque[Any] = deque()

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The answer to each. Raises `redis.RedisError` or `OSError`; some commands may have been done then."""
        try:
            connection = self._free.pop()
        except IndexError:
            return self._ask(self._pool.make_connection(), commands)
        try:
            return self._ask(connection, commands)
        except redis.ConnectionError:  # closed since it was used: a server that was started again is not away
            self._free.clear()
            return self._ask(self._pool.make_connection(), commands)

    def _ask(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        wrong: redis.ResponseError | None = None
        for _ in commands:
            try:
                answers.append(connection.read_response())
            except redis.ResponseError as refused:  # the answers behind it are read, for the connection to go on
                wrong = wrong or refused
        self._free.append(connection)
        if wrong is not None:
            raise wrong
        return answers
