"""Groups form by themselves; one that breaks the work breaks nobody else's."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import httpx
import pytest
import uvloop

from serving.decisions.api import batcher
from serving.decisions.api.app import make_app
from serving.decisions.api.batcher import Batcher, Overloaded


def test_what_comes_while_it_works_is_the_next_group() -> None:
    groups, first, go = [], threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        first.set()
        assert go.wait(10)
        return [item * 2 for item in items]

    async def run() -> list[Sequence[int]]:
        asking = [asyncio.create_task(one.ask([0]))]
        await asyncio.to_thread(first.wait)
        asking += [asyncio.create_task(one.ask([number, number])) for number in range(1, 6)]
        await asyncio.sleep(0.05)
        go.set()
        return await asyncio.gather(*asking)

    one: Batcher[int, int] = Batcher("test", work)
    assert asyncio.run(run()) == [[0], *[[2 * number] * 2 for number in range(1, 6)]]
    assert groups == [[0], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]]
    one.close()


class _Connection(asyncio.Protocol):
    """The server's end: asks for each letter that comes. `d` needs a round of the loop more, as one read later."""

    def __init__(self, one: Batcher[bytes, bytes]) -> None:
        self._one, self._tasks = one, set[asyncio.Task[None]]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._answer(data)))

    async def _answer(self, data: bytes) -> None:
        if data == b"d":
            await asyncio.sleep(0)
        (answer,) = await self._one.ask([data])
        self._transport.write(answer)


class _Clients:
    """Sockets of four clients by their letters; `work` is what the server does with what they ask."""

    def __init__(self) -> None:
        self.pairs = {letter: socket.socketpair() for letter in (b"a", b"b", b"c", b"d")}
        self.groups: list[list[bytes]] = []

    def send(self, *letters: bytes) -> None:
        for letter in letters:
            self.pairs[letter][0].send(letter)

    def work(self, items: Sequence[bytes]) -> list[bytes]:
        """Looks that earlier answers are with their clients; while it works on `a`, two other clients ask."""
        for answered in itertools.chain(*self.groups):
            assert self.pairs[answered][0].recv(1) == answered, "it was not answered before the next batch"
        if b"warm" not in items:
            self.groups.append(list(items))
        if b"a" in items:
            self.send(b"b", b"c")
        return list(items)


def test_between_batches_answers_leave_and_requests_arrive() -> None:
    """What comes during a batch is in the next one, and that begins once the answers of the first are with clients."""
    clients = _Clients()
    one: Batcher[bytes, bytes] = Batcher("test", clients.work)

    async def run() -> None:
        await one.ask([b"warm"])  # the first batch runs in a thread, later ones in the loop
        for client, server in clients.pairs.values():
            client.setblocking(False)
            await asyncio.get_running_loop().create_connection(lambda: _Connection(one), sock=server)
        clients.send(b"a", b"d")
        while sum(map(len, clients.groups)) < len(clients.pairs):
            await asyncio.sleep(0.01)

    uvloop.run(asyncio.wait_for(run(), 10))
    assert clients.groups == [[b"a", b"d"], [b"b", b"c"]]
    one.close()
    for client, _ in clients.pairs.values():
        client.close()


def test_work_that_is_stuck_is_no_longer_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the endpoint answers it, whose event loop goes on."""
    monkeypatch.setattr(batcher, "STUCK_S", 0.2)
    go = threading.Event()

    async def run() -> list[tuple[int, bool]]:
        seen, transport = [], httpx.ASGITransport(make_app(SimpleNamespace(decide=one)))
        async with httpx.AsyncClient(transport=transport, base_url="http://endpoint") as client:

            async def look() -> None:
                answer = await client.get("/health/live")
                seen.append((answer.status_code, answer.json()["alive"]))

            await look()
            asking = asyncio.create_task(one.ask([1]))
            await asyncio.sleep(0.05)
            await look()
            await asyncio.sleep(0.3)
            await look()
            assert "1 items wait" in one.fault()
            go.set()
            await asking
            await look()
        return seen

    one: Batcher[int, int] = Batcher("test", lambda items: items if go.wait(10) else [])
    assert asyncio.run(run()) == [(200, True), (200, True), (503, False), (200, True)]
    one.close()


def test_what_breaks_the_work_breaks_nobody_elses() -> None:
    begin = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        begin.wait(10)
        if 3 in items:
            raise ValueError("three")
        return list(items)

    async def run() -> list[object]:
        asking = [asyncio.create_task(one.ask([number])) for number in range(6)]
        await asyncio.sleep(0.05)
        begin.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    one: Batcher[int, int] = Batcher("test", work)
    answers = asyncio.run(run())
    assert [answer for answer in answers if not isinstance(answer, ValueError)] == [[0], [1], [2], [4], [5]]
    assert str(answers[3]) == "three"
    one.close()


def test_more_than_may_wait_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "WAITING", 3)
    go = threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        go.wait(10)
        return items

    async def run() -> None:
        asking = [asyncio.create_task(one.ask([number, number])) for number in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded):
            await one.ask([9])
        go.set()
        assert await asyncio.gather(*asking) == [[0, 0], [1, 1]]
        assert await one.ask([9]) == [9]

    one: Batcher[int, int] = Batcher("test", work)
    asyncio.run(run())
    one.close()


def test_a_client_that_left_stops_nothing() -> None:
    go = threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        go.wait(10)
        return items

    async def run() -> None:
        gone = asyncio.create_task(one.ask([1]))
        await asyncio.sleep(0.05)
        gone.cancel()
        stays = asyncio.create_task(one.ask([2]))
        await asyncio.sleep(0.05)
        go.set()
        assert await stays == [2]

    one: Batcher[int, int] = Batcher("test", work)
    asyncio.run(run())
    one.close()
