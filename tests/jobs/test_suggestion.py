import pytest

from pulumi_dli.jobs.suggestion import most_similar, suggestion

KNOWN = ("region", "projectId", "token")


@pytest.mark.parametrize(("word", "similar"), [("regoin", "region"), ("Token", "token"), ("queue", None)])
def test_the_most_similar_word_is_found(word: str, similar: str | None) -> None:
    assert most_similar(word, KNOWN) == similar


def test_a_suggestion_ends_a_message() -> None:
    assert suggestion("regoin", KNOWN, prefix="dli:") == "; did you mean dli:region?"
    assert suggestion("regoin", KNOWN, likeness=0.95) == suggestion("queue", KNOWN) == ""
