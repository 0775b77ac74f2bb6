from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.errors import NoAnswerError
from pulumi_dli.api.listing import MAX_PAGES, MAX_RESTARTS, PAGE_SIZE, read_to_end
from pulumi_dli.api.models import BatchList

NO_TOTAL: Any = object()


def page(ids: list[str], total: Any = NO_TOTAL) -> BatchList:
    counted = {} if total is NO_TOTAL else {"total": total}
    return BatchList.model_validate({"sessions": [{"id": batch_id} for batch_id in ids], **counted})


class Pages:
    """A service with these jobs. `total` makes the total of the number of jobs; `size` is the largest page."""

    def __init__(
        self,
        count: int,
        *,
        size: int = PAGE_SIZE,
        total: Callable[[int], Any] = lambda count: count,
        reads_from: bool = True,
    ) -> None:
        self.ids = [f"job-{number}" for number in range(count)]
        self.starts: list[int] = []
        self._size, self._total, self._reads_from = size, total, reads_from

    def __call__(self, start: int) -> BatchList:
        self.starts.append(start)
        first = start if self._reads_from else 0
        return page(self.ids[first : first + self._size], self._total(len(self.ids)))


def listed(read: Callable[[int], BatchList]) -> list[str]:
    return [batch.id for batch in read_to_end(read)]


TOTALS: dict[str, Callable[[int], Any]] = {
    "number": lambda count: count,
    "text": str,
    "absent": lambda _: NO_TOTAL,
    "null": lambda _: None,
    "zero": lambda _: 0,
    "of other jobs too": lambda count: count + 5000,
    "words": lambda _: "many",
}


@given(count=st.integers(0, 450), size=st.sampled_from([100, 37, 10, 7, 2, 1]), total=st.sampled_from(sorted(TOTALS)))
def test_a_list_is_read_to_its_end_whatever_the_size_of_its_pages_and_its_total(
    count: int, size: int, total: str
) -> None:
    pages = Pages(min(count, 80 * size), size=size, total=TOTALS[total])
    assert listed(pages) == pages.ids


def test_a_short_page_ends_the_list_if_the_total_is_reached() -> None:
    for count in (1, 45, 99):
        pages = Pages(count)
        listed(pages)
        assert pages.starts == [0]


@pytest.mark.parametrize("total", [100, "100", 30, NO_TOTAL])
def test_after_a_full_page_there_is_another_call_whatever_the_total_says(total: Any) -> None:
    pages = Pages(250, total=lambda _: total)
    assert listed(pages) == pages.ids
    assert pages.starts[:2] == [0, 90]


@pytest.mark.parametrize(("count", "total"), [(150, "number"), (100, "absent"), (150, "absent"), (150, "zero")])
def test_a_list_that_always_gives_its_first_page_is_an_error(count: int, total: str) -> None:
    pages = Pages(count, reads_from=False, total=TOTALS[total])
    with pytest.raises(NoAnswerError, match="the list of jobs cannot be read to its end"):
        listed(pages)
    assert len(pages.starts) == 2


@pytest.mark.parametrize("total", ["number", "absent", "zero"])
def test_a_list_that_always_gives_its_only_short_page_is_complete(total: str) -> None:
    pages = Pages(45, reads_from=False, total=TOTALS[total])
    assert listed(pages) == pages.ids
    assert len(pages.starts) <= 2


@pytest.mark.parametrize("total", [100, 5000, NO_TOTAL, None, "many"])
def test_an_empty_page_ends_the_list(total: Any) -> None:
    script = iter([page([f"job-{number}" for number in range(100)], total), page([], total)])
    assert len(listed(lambda _: next(script))) == 100


def test_no_job_is_missed_if_others_end_while_the_list_is_read() -> None:
    pages = Pages(400)

    def read(start: int) -> BatchList:
        if len(pages.starts) == 3:
            del pages.ids[:20]
        return pages(start)

    assert set(pages.ids[20:]) <= set(listed(read))


def test_no_job_is_missed_if_most_of_them_end_while_the_list_is_read() -> None:
    pages = Pages(400)

    def read(start: int) -> BatchList:
        if len(pages.starts) == 1:
            del pages.ids[:350]
        return pages(start)

    assert set(pages.ids[350:]) <= set(listed(read))


def test_a_list_that_goes_on_for_ever_is_an_error() -> None:
    pages = Pages(10**6)
    with pytest.raises(NoAnswerError, match="cannot be read to its end"):
        listed(pages)
    assert len(pages.starts) == MAX_PAGES


def test_a_list_that_never_comes_to_rest_is_an_error() -> None:
    starts = []

    def read(start: int) -> BatchList:
        starts.append(start)
        return page([f"job-{len(starts)}-{number}" for number in range(PAGE_SIZE)], 1000)

    with pytest.raises(NoAnswerError, match="cannot be read to its end"):
        listed(read)
    assert len(starts) == 2 * (MAX_RESTARTS + 1)


def test_a_job_comes_once_also_if_its_id_changes_in_case() -> None:
    ids = ["1f0b7a52-4c1e-4d0a-8a7e-00000000000a", "1f0b7a52-4c1e-4d0a-8a7e-00000000000b"]
    script = iter([page(ids, 3), page([ids[1].upper(), "last"], 3)])
    assert listed(lambda _: next(script)) == [*ids, "last"]
