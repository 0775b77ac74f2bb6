"""How a failed request is answered."""

import asyncio
from typing import Any

import grpc
import pytest

from pulumi_dli.api.errors import DliError
from pulumi_dli.plugin.answers import answering


class Context:
    """The context of a request. It records how the request was answered."""

    def __init__(self) -> None:
        self.answer: tuple[grpc.StatusCode, str] | None = None

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.answer = code, details


class Request:
    urn = "urn:pulumi:dev::jobs::dli:index:BatchJob::load"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (DliError("the job is dead\x1b[31m"), grpc.StatusCode.UNKNOWN, "the job is dead"),
        (DliError("a\ud800b"), grpc.StatusCode.UNKNOWN, "ab"),
        (DliError("`--replace '**dli:BatchJob::load'`"), grpc.StatusCode.UNKNOWN,
         "`--replace '**dli:index:BatchJob::load'`"),
    ],
)  # fmt: skip
def test_an_error_for_the_user_is_its_message(error: Exception, code: grpc.StatusCode, text: str) -> None:
    assert answer_of(error) == (code, text)


def test_a_defect_is_its_traceback() -> None:
    code, text = answer_of(ZeroDivisionError("no"))
    assert code is grpc.StatusCode.INTERNAL
    assert text.startswith("Traceback")
    assert text.endswith("ZeroDivisionError: no\n")


def answer_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    @answering
    async def method(_self: Any, _request: Any, _context: Any) -> None:
        raise error

    context = Context()
    asyncio.run(method(None, Request(), context))  # type: ignore[arg-type]
    assert context.answer is not None
    return context.answer
