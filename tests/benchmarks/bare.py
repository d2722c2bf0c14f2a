"""The bare path: the same work as a decision with no product around it, as a limit of what a server here can do.

A raw ASGI application on uvicorn parses with orjson, asks Redis once for features and budget and to remember the
request, calls the same four ONNX graphs, and answers. It checks, guards, reserves and logs nothing.
"""

import argparse
import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import hiredis
import numpy as np
import orjson
import uvicorn

from features.settings import Settings
from features.store import Online
from models.bundle import open_bundle
from models.keys import public_key
from tests.benchmarks import bidders

Messages = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Redis(asyncio.Protocol):
    """One connection: commands go out together, and the answers come back in their order."""

    def __init__(self) -> None:
        self._reader, self._waiting = hiredis.Reader(), deque[tuple[int, asyncio.Future[list[Any]]]]()
        self._answers: list[Any] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            self._answers.append(answer)
            if len(self._answers) == self._waiting[0][0]:
                self._waiting.popleft()[1].set_result(self._answers)
                self._answers = []

    def ask(self, commands: Sequence[tuple[Any, ...]]) -> asyncio.Future[list[Any]]:
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((len(commands), future))
        self._transport.write(b"".join(map(hiredis.pack_command, commands)))
        return future


class Bare:
    """The application: `POST` of one opportunity to any path."""

    def __init__(self, models: Path, settings: Settings) -> None:
        self._models = {name: open_bundle(models / name, public_key(settings)).model for name in bidders.SAYS}
        reader, _ = Online(settings).vectors(bidders.SERVICE, ["c00001"])
        self._project, self._layouts, self._places = reader._project, reader._layouts, reader._places
        self._trees = [self._models[name] for name in ("clicks", "sales", "worth")]
        self._columns = [reader.columns.index(name) for name in self._trees[0].encoder.numbers]
        self._url = settings.redis_url
        self._redis: Redis | None = None

    async def __call__(self, scope: dict[str, Any], receive: Messages, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        answer = await self._decide(orjson.loads(body)) if body else {}
        head = [(b"content-type", b"application/json")]
        said = orjson.dumps(answer)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*head, (b"content-length", b"%d" % len(said))],
            }
        )
        await send({"type": "http.response.body", "body": said})

    async def _decide(self, asked: dict[str, Any]) -> dict[str, Any]:
        account, campaign, opportunity = asked["account_id"], asked["campaign_id"], asked["opportunity_id"]
        features, _, _, _ = await (await self._connected()).ask(
            [
                ("HGETALL", f"{self._project}:{asked['customer_id']}"),
                ("HGETALL", f"adloop:decisions:{{{account}}}:campaign:{campaign}"),
                ("HGETALL", f"adloop:decisions:{{{account}}}:account"),
                ("SET", f"bare:{opportunity}", 1, "NX", "EX", 60),
            ]
        )
        found = dict(zip(features[::2], features[1::2], strict=True))
        heads = b"".join(found.get(one.view.encode(), one.empty)[: one.size] for one in self._layouts)
        row = np.frombuffer(heads, dtype="<f8").take(self._places)[self._columns].astype(np.float32)[None]
        said = [next(iter(model.answer(row).values())) for model in self._trees]
        bids = self._models["policy"].answer(np.hstack([np.column_stack(said), row[:, :27]]).astype(np.float32))
        return {"opportunity_id": opportunity, "action": "bid", "amount": float(bids["policy_bid"][0])}

    async def _connected(self) -> Redis:
        if self._redis is None:
            host, port = str(self._url).removeprefix("redis://").split("/")[0].split(":")
            _, self._redis = await asyncio.get_running_loop().create_connection(Redis, host, int(port))
        return self._redis


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    bidders.install()
    app = Bare(args.models, Settings())
    uvicorn.run(app, port=args.port, log_level="warning", lifespan="off", loop="uvloop", http="httptools")


if __name__ == "__main__":
    main()
