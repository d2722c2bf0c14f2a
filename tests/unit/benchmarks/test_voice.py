from tests.benchmarks.nlp_voice import distance


def test_wrong_words_are_the_fewest_changes() -> None:
    told = ["how", "much", "is", "the", "malt"]
    assert distance(told, told) == 0
    assert distance(told, ["how", "much", "the", "mold"]) == 2
    assert distance(told, ["oh", "how", "much", "is", "it", "the", "malt"]) == 2
    assert (distance(told, []), distance([], told)) == (5, 5)
