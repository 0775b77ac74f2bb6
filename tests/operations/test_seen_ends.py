import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.operations.seen_ends import SeenEnds


def test_only_a_final_state_is_an_end() -> None:
    ends = SeenEnds()
    for state in ("starting", "running", "recovering", "hibernating", None, BatchState.RUNNING):
        ends.record("a", state)
    ends.record(None, "success")
    assert ends.of("a") is None


@pytest.mark.parametrize("state", ["success", "Success", BatchState.SUCCESS])
def test_an_end_is_known_from_then_on(state: str | BatchState) -> None:
    ends = SeenEnds()
    ends.record("a", state)
    ends.record("a", "running")
    assert ends.of("a") is BatchState.SUCCESS
    assert ends.of("b") is None


def test_what_the_program_has_read_is_taken_over_for_its_job() -> None:
    ends = SeenEnds()
    ends.record_all(("load", "0a1b"), {"a": "success", "b": "running"}, is_unread=False)
    assert (ends.of("a"), ends.of("b")) == (BatchState.SUCCESS, None)
    ends.record_all(("load", "0a1b"), {}, is_unread=True)
    assert ends.is_unread(("load", "0a1b"))
    assert not ends.is_unread(("other", "0a1b"))
    ends.record_all(("load", "0a1b"), {}, is_unread=False)
    assert not ends.is_unread(("load", "0a1b"))
