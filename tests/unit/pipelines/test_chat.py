"""The command tells what it needs to speak."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from models.speech import weights
from models.speech.sound import read, written
from models.speech.synthesis import VOICE_RATE, speak
from pipelines.cli import main


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    (tmp_path / "shop/products").mkdir(parents=True)
    (tmp_path / "shop/products/malt.yaml").write_text(yaml.safe_dump({"name": "Malt"}))
    return CliRunner(env={"ADLOOP_HOME": str(tmp_path)})


def test_an_answer_needs_a_sound_to_answer(runner: CliRunner, tmp_path: Path) -> None:
    done = runner.invoke(main, ["chat", "--answer", str(tmp_path / "out.wav")])
    assert done.exit_code == 2 and "--answer needs --say" in done.output


def test_without_the_extra_it_says_what_to_install(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_PACKAGES", {"no_such_voice": "no-such-voice"})
    (tmp_path / "in.wav").write_bytes(b"RIFF")
    done = runner.invoke(main, ["chat", "--say", str(tmp_path / "in.wav")])
    assert done.exit_code == 1 and "pip install 'adloop[voice]'" in done.output


@pytest.mark.skipif(not weights.there(), reason="needs adloop[voice]")
def test_a_spoken_turn_is_answered_in_a_file(runner: CliRunner, tmp_path: Path) -> None:
    said, answer = tmp_path / "in.wav", tmp_path / "out.wav"
    said.write_bytes(written(np.pad(speak("I would like to talk to a person."), VOICE_RATE // 2), VOICE_RATE))
    done = runner.invoke(main, ["chat", "--say", str(said), "--answer", str(answer)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("> I would like to talk to a person.\nA person takes over")
    assert len(read(answer.read_bytes())) > 16_000 and [one.name for one in tmp_path.glob("*.wav")] != ["in.wav"]
    refused = runner.invoke(main, ["chat", "--say", str(tmp_path / "shop/products/malt.yaml")])
    assert refused.exit_code == 1 and "expected a whole WAV file" in refused.output
