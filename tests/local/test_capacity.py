from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.local.capacity import Capacity, CapacityRequest

QUEUES: dict[str, int | None] = {"default": None, "small": 16, "large": 64}


def ready(capacity: Capacity) -> Iterator[str]:
    """Give all jobs that may run now."""
    return iter(capacity.admit_next, None)


def admitted(*requests: tuple[str, str, int], slots: int | None = None) -> tuple[Capacity, list[str]]:
    """Let jobs wait, and serve those that fit."""
    capacity = Capacity(slots, QUEUES)
    for request in requests:
        capacity.enqueue(CapacityRequest(*request))
    return capacity, list(ready(capacity))


def test_jobs_are_admitted_while_their_queue_has_cus() -> None:
    capacity, now = admitted(("a", "small", 8), ("b", "small", 8), ("c", "small", 1))
    assert now == ["a", "b"]
    assert capacity.used("small") == 16
    capacity.release("a")
    assert capacity.used("small") == 8
    assert list(ready(capacity)) == ["c"]


def test_who_came_first_in_a_queue_is_served_first_though_a_later_one_would_fit() -> None:
    capacity, now = admitted(("a", "small", 10), ("b", "small", 16), ("c", "small", 4), ("d", "large", 4))
    assert now == ["a", "d"]
    capacity.release("a")
    assert list(ready(capacity)) == ["b"]


def test_those_behind_a_job_that_leaves_move_up() -> None:
    capacity, _ = admitted(("a", "small", 10), ("b", "small", 16), ("c", "small", 4))
    capacity.release("b")
    assert list(ready(capacity)) == ["c"]


def test_a_job_that_is_larger_than_its_queue_is_never_admitted_and_blocks_no_other() -> None:
    capacity, now = admitted(("a", "small", 17), ("b", "small", 16))
    assert now == ["b"]
    capacity.release("b")
    assert list(ready(capacity)) == []


@pytest.mark.parametrize(
    ("cus", "slots", "waits"),
    [(16, None, None), (17, None, None), (1, 0, None), (1, None, ("b", "large", 65))],
)
def test_a_new_job_is_admitted_at_once_only_if_it_fits_and_nobody_waits(
    cus: int, slots: int | None, waits: tuple[str, str, int] | None
) -> None:
    capacity, _ = admitted(*([waits] if waits else []), slots=slots)
    fits = cus <= 16 and slots is None and waits is None
    assert capacity.admit_at_once(CapacityRequest("a", "small", cus)) == fits
    assert capacity.used("small") == (cus if fits else 0)
    capacity.release("a")
    assert capacity.used("small") == 0


def test_a_queue_without_cus_has_no_limit_nor_has_one_that_is_not_declared() -> None:
    _, now = admitted(*((f"{queue}{number}", queue, 10**9) for queue in ("default", "gone") for number in range(3)))
    assert len(now) == 6


def test_slots_are_of_all_queues_together_and_the_oldest_that_fits_gets_one() -> None:
    capacity, now = admitted(("a", "small", 16), ("b", "small", 1), ("c", "large", 1), ("d", "default", 1), slots=2)
    assert now == ["a", "c"]
    capacity.release("c")
    assert list(ready(capacity)) == ["d"]


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("a", None),
        ("nobody", None),
        ("big", "17 CUs of queue small, which has 16"),
        ("b", "8 CUs of queue small"),
        ("c", "its turn in queue small"),
        ("d", None),
        ("e", "one of 2 slots"),
    ],
)
def test_a_job_that_waits_says_what_for(job: str, reason: str | None) -> None:
    capacity, _ = admitted(
        ("big", "small", 17), ("a", "small", 10), ("b", "small", 8), ("d", "large", 1), ("e", "large", 1), slots=2
    )
    if job == "c":
        capacity.release("d")
        capacity.release("e")
        capacity.enqueue(CapacityRequest("c", "small", 1))
    assert capacity.waits_for(job) == reason


@given(
    st.none() | st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from([*QUEUES]), st.integers(1, 70)) | st.integers(0, 30), max_size=40),
)
def test_whatever_comes_and_goes_nothing_is_exceeded_overtaken_or_left_idle(
    slots: int | None, events: list[tuple[str, int] | int]
) -> None:
    """An event is a request that comes, or the number of a job that leaves, whether it waits or runs."""
    capacity = Capacity(slots, QUEUES)
    waiting: dict[str, CapacityRequest] = {}
    running: dict[str, CapacityRequest] = {}

    def first_in(queue: str) -> CapacityRequest | None:
        """Give the first of a queue that is not larger than the queue."""
        total = QUEUES[queue]
        return next((d for d in waiting.values() if d.queue == queue and (total is None or d.cus <= total)), None)

    def fits(request: CapacityRequest) -> bool:
        total = QUEUES[request.queue]
        return total is None or request.cus <= total - sum(d.cus for d in running.values() if d.queue == request.queue)

    for number, event in enumerate(events):
        if isinstance(event, tuple):
            waiting[str(number)] = CapacityRequest(str(number), *event)
            capacity.enqueue(waiting[str(number)])
        else:
            capacity.release(str(event))
            waiting.pop(str(event), None)
            running.pop(str(event), None)
        for job_id in ready(capacity):
            request = waiting[job_id]
            assert request == first_in(request.queue)
            assert fits(request)
            running[job_id] = waiting.pop(job_id)
        assert slots is None or len(running) <= slots
        if slots is None or len(running) < slots:
            assert not [queue for queue in QUEUES if (first := first_in(queue)) and fits(first)]
        for queue in QUEUES:
            assert capacity.used(queue) == sum(request.cus for request in running.values() if request.queue == queue)
        assert {job_id for job_id in map(str, range(40)) if capacity.waits_for(job_id)} == set(waiting)


def test_each_waiting_job_has_its_position_in_its_queue() -> None:
    capacity, _ = admitted(("a", "small", 16), ("b", "small", 17), ("c", "small", 4), ("d", "large", 65), slots=2)
    assert capacity.standings() == {
        "b": "first in queue small, waits for 17 CUs, and the queue has 16",
        "c": "second in queue small, waits for 4 CUs",
        "d": "first in queue large, waits for 65 CUs, and the queue has 64",
    }
    capacity.release("b")
    assert capacity.standings()["c"] == "first in queue small, waits for 4 CUs"


def test_a_job_may_wait_for_its_turn_or_for_a_slot() -> None:
    capacity, _ = admitted(("a", "small", 12), ("b", "small", 16), ("c", "small", 1))
    assert capacity.standings()["c"] == "second in queue small, waits for its turn"
    capacity, _ = admitted(("a", "default", 1), ("b", "default", 1), slots=1)
    assert capacity.standings() == {"b": "first in queue default, waits for one of 1 slots"}


def test_positions_are_written_as_words_or_numbers() -> None:
    capacity = Capacity(0, {})
    for number in range(1, 125):
        capacity.enqueue(CapacityRequest(str(number), "q", 1))
    words = [standing.split()[0] for standing in capacity.standings().values()]
    assert [words[position - 1] for position in (1, 3, 10, 11, 12, 13, 21, 22, 23, 24, 101, 111, 122)] == [
        *("first", "third", "tenth", "11th", "12th", "13th", "21st", "22nd", "23rd", "24th", "101st", "111th", "122nd")
    ]
