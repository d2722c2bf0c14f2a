"""The state store that the settings name."""

from features.settings import Settings
from serving.decisions.params import DecisionParams
from serving.decisions.state.sqlite import SqliteStore
from serving.decisions.state.store import Store

#: File of the embedded state, beside the log and the feedback.
STATE = "state.db"


def state_store(settings: Settings, params: DecisionParams) -> Store:
    """Redis if the settings name one, else SQLite under the home."""
    if settings.redis_url is not None:
        from serving.decisions.state.redis import RedisStore

        return RedisStore(settings.redis_url, params)
    return SqliteStore(settings.home / "decisions" / STATE, params)
