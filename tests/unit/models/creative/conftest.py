"""A model that has learnt from a simulated market, once."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from market import MARKET, fitted, frame_of

from components.frame import Frame
from models.creative.model import CreativeModel


@pytest.fixture(scope="session")
def log() -> pd.DataFrame:
    return MARKET.log()


@pytest.fixture(scope="session")
def frame(log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Frame:
    counts = ["impressions", "clicks", "conversions", "engagements"]
    return frame_of(tmp_path_factory.mktemp("market"), log.astype(dict.fromkeys(counts, float)))


@pytest.fixture(scope="session")
def model(frame: Frame, tmp_path_factory: pytest.TempPathFactory) -> CreativeModel:
    return fitted(frame, tmp_path_factory.mktemp("checkpoint"))
