"""Any endpoint that speaks OpenAI's chat completions: vLLM, or a provider."""

import time
from collections.abc import Sequence

from features.certificates import trusted
from features.settings import Settings
from serving.content.drafters import DrafterAway, DraftingTask, answers, prompt, schema
from serving.content.sheet import Language

#: Seconds that one answer may take, and that an endpoint which gave none is not asked again: a set has many parts.
TIMEOUT_S, AGAIN_S = 20.0, 30.0


class EndpointDrafter:
    """The endpoint at `ADLOOP_DRAFTER_URL`, with `ADLOOP_DRAFTER_MODEL` and `ADLOOP_DRAFTER_KEY`."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._model, self._key = settings.drafter_url, settings.drafter_model, settings.drafter_key
        self._again = 0.0

    @property
    def languages(self) -> Sequence[Language]:
        return ("en", "de")

    @property
    def name(self) -> str:
        return f"{self._model} at {self._url}"

    def draft(self, task: DraftingTask, count: int, seed: int) -> list[str]:
        import httpx

        if time.monotonic() < self._again:
            raise DrafterAway(f"{self.name} gave no draft a moment ago")
        system, user = prompt(task)
        request = {
            "model": self._model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "seed": seed,
            "temperature": 0.7,
            "response_format": {"type": "json_schema", "json_schema": {"name": "copy", "schema": schema(task, count)}},
        }
        headers = {} if self._key is None else {"authorization": f"Bearer {self._key.get_secret_value()}"}
        try:
            answer = httpx.post(
                f"{self._url}/chat/completions",
                json=request,
                headers=headers,
                timeout=TIMEOUT_S,
                verify=trusted(),
            )
            answer.raise_for_status()
            content = answer.json()["choices"][0]["message"]["content"]
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as away:
            self._again = time.monotonic() + AGAIN_S
            raise DrafterAway(f"{self.name} gave no draft: {type(away).__name__}") from away
        return answers.texts(str(content), task.limit)
