"""Settings of Kafka clients, from the file that `ADLOOP_KAFKA_CONFIG` names."""

from pathlib import Path


def read(file: Path | None) -> dict[str, str]:
    """Read librdkafka settings from a file of `name=value` lines; lines that start with # are comments."""
    found: dict[str, str] = {}
    if file is None:
        return found
    try:
        lines = file.read_text().splitlines()
    except OSError as missing:
        raise ValueError(f"ADLOOP_KAFKA_CONFIG: {missing}") from missing
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:  # the line may contain a secret, so the error does not repeat it
                raise ValueError(f"ADLOOP_KAFKA_CONFIG: {file}, line {number}: expected name=value")
            found[name.strip()] = value.strip()
    return found
