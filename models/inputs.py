"""What models are asked about: feature rows, and the error that says which field of them is wrong."""


class InvalidRows(ValueError):
    """A feature row that a model cannot answer. Says which field, what was expected and what came."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        super().__init__(f"feature '{field}': expected {expected}, got {got!r}")
        self.field, self.expected, self.got = field, expected, got
