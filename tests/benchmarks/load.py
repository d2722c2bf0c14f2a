"""A client of its own process: as fast as it is answered, or at a steady rate whatever the answers take.

Latencies at a rate count from when a request was due, not from when it could be sent: a server that stalls is not
spared the requests that would have come meanwhile.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop


class Connection(asyncio.Protocol):
    """One connection, one request at a time. Raises on an answer that is not 200."""

    def __init__(self) -> None:
        self._had = bytearray()
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._had += data
        head = self._had.find(b"\r\n\r\n")
        if head < 0 or self._answered is None:
            return
        said = bytes(self._had[:head]).lower()
        length = int(said.split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(self._had) < head + 4 + length:
            return
        status, body = said.split(b" ", 2)[1], bytes(self._had[head + 4 :])
        self._had.clear()
        answered, self._answered = self._answered, None
        if status == b"200":
            answered.set_result(None)
        else:
            answered.set_exception(RuntimeError(f"{status!r}: {body[:200]!r}"))

    async def ask(self, request: bytes) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answered


async def connections(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]


async def saturated(pool: list[Connection], make: Callable[[], bytes], seconds: float) -> list[float]:
    """Milliseconds of each answer while every connection asks again at once."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    async def one(connection: Connection) -> None:
        while (begun := time.perf_counter()) < until:
            await connection.ask(make())
            taken.append(1000 * (time.perf_counter() - begun))

    await asyncio.gather(*(one(connection) for connection in pool))
    return taken


async def steady(pool: list[Connection], make: Callable[[], bytes], seconds: float, rate: float) -> list[float]:
    """Milliseconds of each answer since it was due.

    A thread keeps the time: the loop's own timers are a millisecond coarse, which is longer than an answer takes.
    """
    loop, free = asyncio.get_running_loop(), asyncio.Queue[Connection]()
    for connection in pool:
        free.put_nowait(connection)
    taken: list[float] = []
    asking: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        connection = await free.get()
        await connection.ask(make())
        free.put_nowait(connection)
        taken.append(1000 * (time.perf_counter() - due))

    def pace() -> None:
        begun = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            loop.call_soon_threadsafe(lambda due=due: asking.add(loop.create_task(one(due))))

    await asyncio.to_thread(pace)
    await asyncio.gather(*asking)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--template", type=Path, required=True, help="a request; @@@@@@@@ is replaced by a number")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, help="requests a second; default: as many as are answered")
    parser.add_argument("--core", type=int, required=True)
    args = parser.parse_args()
    os.sched_setaffinity(0, {args.core})
    template, sent = args.template.read_bytes(), os.getpid() % 1000 * 10**5

    def make() -> bytes:
        nonlocal sent
        sent += 1
        return template.replace(b"@@@@@@@@", b"%08d" % sent)

    async def run() -> list[float]:
        pool = await connections(args.port, args.connections)
        if args.rate is None:
            return await saturated(pool, make, args.seconds)
        return await steady(pool, make, args.seconds, args.rate)

    # Line by line: one long write to a pipe is cut short where output is unbuffered.
    sys.stdout.writelines(f"{taken}\n" for taken in uvloop.run(run()))


if __name__ == "__main__":
    main()
