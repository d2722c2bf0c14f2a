"""Source: what people write to the assistant of a shop, in English and German, by its intent (`shop_intents.yaml`)."""

from pathlib import Path

import pandas as pd

from features.yaml_file import from_yaml

TABLES = ("texts",)
FILE = Path(__file__).with_name("shop_intents.yaml")
TASK = "intent"


def files() -> list[Path]:
    """The file of examples."""
    return [FILE]


def read(destination: Path) -> None:
    """Write the canonical table into `destination`."""
    examples().to_parquet(destination / "texts.parquet", index=False)


def examples() -> pd.DataFrame:
    """The examples: `text`, `label` (the intent; `oos` out of scope), `task` and `language`."""
    told = from_yaml(FILE.read_text("utf-8"))
    rows = [
        (text, intent, TASK, language)
        for intent, languages in told.items()
        for language, texts in languages.items()
        for text in texts
    ]
    return pd.DataFrame(rows, columns=["text", "label", "task", "language"])
