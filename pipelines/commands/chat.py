"""`adloop chat`: talk with the assistant, do a person's part, and export what people corrected."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from features.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from serving.conversations.assistant import Assistant
    from serving.conversations.state import Conversation

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--user", default="me", show_default=True, help="Whose conversation goes on.")
@click.option("--value", type=click.FloatRange(min=0), help="What the family ltv expects of this customer.")
@click.option("--say", type=_FILE, help="A WAV file to say instead of lines: one turn. Needs adloop[voice].")
@click.option("--answer", type=_FILE, help="WAV file to write the answer to --say to.")
@click.pass_context
def chat(context: click.Context, user: str, value: float | None, say: Path | None, answer: Path | None) -> None:
    """Talk with the assistant of the shop in ADLOOP_SHOP, a line a turn, until the end of the input.

    It answers from the shop's product sheets and facts (docs/texts.md), with the intents of the family nlp.
    """
    if context.invoked_subcommand is not None:
        return
    if answer is not None and say is None:
        raise click.UsageError("--answer needs --say")
    from models.speech.sound import InvalidSound
    from models.speech.weights import NoVoice
    from serving.conversations.understanding import NoClassifier

    assistant = _assistant()
    try:
        if say is not None:
            _say_aloud(assistant, user, value, say, answer)
            return
        for line in sys.stdin:
            _print(assistant.say(user, line.rstrip("\n"), value))
    except (NoClassifier, NoVoice, InvalidSound, OSError) as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _say_aloud(assistant: "Assistant", user: str, value: float | None, say: Path, answer: Path | None) -> None:
    """A spoken turn."""
    from serving.conversations.voice import converse

    turn = converse(assistant, user, say.read_bytes(), value)
    click.echo(f"> {turn.heard}")
    _print(turn.told)
    if answer is None:
        return
    if turn.speech is None:
        raise click.ClickException(f"{answer}: not written, the voice speaks English only")
    aside = answer.with_name(f".{answer.name}.{os.getpid()}")
    aside.write_bytes(turn.speech)
    aside.replace(answer)


def _print(told: "dict[str, Any]") -> None:
    """An answer for people."""
    action = f" [{told['action']} {json.dumps(told['slots'], ensure_ascii=False)}]" if told["action"] else ""
    click.echo(f"{told['text']}{action}")
    if told["act"] == "handover":
        click.echo(f"[to a person: {told['handover']['why']}; conversation {told['conversation']}]")


@chat.command()
def summary() -> None:
    """Print completion, satisfaction, resolution time and handovers as JSON."""
    from serving.conversations.api import kept
    from serving.conversations.summary import conversations, summarize

    click.echo(json.dumps(asdict(summarize(conversations(kept(Settings())))), indent=1, ensure_ascii=False))


@chat.command()
@click.argument("conversation")
def show(conversation: str) -> None:
    """Print a conversation as JSON, masked, with its slots."""
    click.echo(_found(lambda assistant: assistant.conversation(conversation)))


@chat.command()
@click.argument("conversation")
def resolve(conversation: str) -> None:
    """Close a conversation that a person took over."""
    _found(lambda assistant: assistant.resolve(conversation))


@chat.command()
@click.argument("conversation")
@click.argument("turn", type=click.IntRange(min=1))
@click.argument("intent")
def correct(conversation: str, turn: int, intent: str) -> None:
    """Say which INTENT a TURN had; `oos` for one that is out of scope."""
    try:
        _found(lambda assistant: assistant.correct(conversation, turn, intent))
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from wrong


@chat.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of texts.parquet.")
def corrections(out: Path) -> None:
    """Export the corrected turns as a table `texts` to learn from."""
    from serving.conversations.api import kept
    from serving.conversations.summary import conversations, export

    count = export(conversations(kept(Settings())), out)
    click.echo(f"{count} corrected turns: {out / 'texts.parquet'}")


def _assistant() -> "Assistant":
    from serving.conversations.api import assistant
    from serving.conversations.shop import InvalidShop
    from serving.texts.classifier import ReleasedClassifier

    try:
        return assistant(Settings(), ReleasedClassifier(Settings()))
    except InvalidShop as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _found(change: "Callable[[Assistant], Conversation]") -> str:
    from serving.conversations.assistant import UnknownConversation

    try:
        return change(_assistant()).model_dump_json(indent=1)
    except UnknownConversation as unknown:
        raise click.ClickException(str(unknown)) from unknown
