"""What each fake declares, and a fake that runs."""

import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from serving.integrations.change import Change, Fields
from tests.fakes.faults import Script, ScriptedFault


class FakeState(Protocol):
    """What a fake keeps: all that was written to it."""

    def objects(self) -> Mapping[str, Any]:
        """Everything as JSON, for people and tests."""
        ...

    def markers(self) -> Sequence[str]:
        """The marker of each thing that was created or sent, as often as it was."""
        ...

    def edit(self, object: str, object_id: str, fields: Fields, by: str) -> None:
        """An edit by a person at the platform, in the words of `serving.integrations.change`."""
        ...


@dataclass(frozen=True)
class Fake:
    """A fake, in the package of its platform's name.

    Attributes:
        state: an account as it is at first, with a few objects in it.
        serve: serves a state under faults; gives its address (`http://host:port` or `host:port`).
        environment: the variables that point adloop at the address, one of them a secret that holds the text `s3cr3t`.
        creations: so many changes, each of which creates or sends something.
        update: a change of this id of an object that is there at first; the number makes its value. None where nothing
            can be updated.
        refusal: a change that the platform refuses, and the field that it is told to be wrong.
        throttled: an answer that asks to wait for `waits_s`.
        expired: the answer to a login that is over.
        retired: the answer to an API version that is switched off; None where the platform has no versions.
    """

    name: str
    state: Callable[[], FakeState]
    serve: Callable[[Any, Script], AbstractContextManager[str]]
    environment: Callable[[str], Mapping[str, str]]
    creations: Callable[[int], list[Change]]
    update: Callable[[str, int], Change | None]
    refusal: tuple[Change, str]
    throttled: ScriptedFault
    waits_s: float
    expired: ScriptedFault
    retired: ScriptedFault | None = None


@dataclass
class Running:
    """A fake that runs, with its control port (`control`) and the token that it asks for."""

    fake: Fake
    url: str
    control: str
    state: FakeState
    script: Script
    token: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def connect(self, setenv: Callable[[str, str], None]) -> None:
        """Point adloop at the fake: set its variables by pytest's `monkeypatch.setenv`."""
        for name, value in self.environment.items():
            setenv(name, value)


@contextmanager
def running(fake: Fake) -> Iterator[Running]:
    """Serve a fake, and its control port, from threads of this process."""
    from tests.fakes import control
    from tests.fakes.rest import serve

    state, script, token = fake.state(), Script(), secrets.token_hex(16)
    with fake.serve(state, script) as url, serve(control.app(state, script, token)) as port:
        yield Running(fake, url, port, state, script, token, fake.environment(url))


@contextmanager
def connected_to(fake: Fake) -> Iterator[Running]:
    """As `running`, with the variables that point adloop at the fake in this process's environment meanwhile."""
    with running(fake) as found:
        before = {name: os.environ.get(name) for name in found.environment}
        os.environ.update(found.environment)
        try:
            yield found
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})


#: Held while a fake changes its state: servers of several threads share it.
TURN = threading.RLock()
