from typing import Any

import pytest

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.engines.arguments import MAX_ARGUMENT, check_arguments
from pulumi_dli.local.errors import ApiError


def request(**body: Any) -> BatchRequest:
    return BatchRequest.model_validate({"file": "obs://b/a.py"} | body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            {"args": ["a", "x" * 200_000]},
            "Parameter args is invalid: an argument must not be longer than 131071 bytes.",
        ),
        ({"args": ["ü" * 70_000]}, "Parameter args is invalid: an argument must not be longer than 131071 bytes."),
        ({"args": ["x" * 100_000] * 50}, "Parameter args is invalid: all together must not be longer than 1000000 b"),
        ({"args": [""] * 200_000}, "Parameter args is invalid: all together must not be longer than 1000000 bytes."),
        ({"args": ["a\0b"]}, "Parameter args is invalid: it must not hold NUL."),
        ({"className": "a\0b"}, "Parameter className is invalid: it must not hold NUL."),
        ({"className": "x" * 200_000}, "Parameter className is invalid: an argument must not be longer than"),
        (
            {"conf": {"spark.driver.extraJavaOptions": "-Da=\0"}},
            "Parameter conf spark.driver.extraJavaOptions is invalid: it must not hold NUL.",
        ),
    ],
    ids=["long", "bytes", "many", "empty ones", "NUL", "NUL in the class", "long class", "NUL in an option"],
)
def test_what_no_process_can_get_is_refused_with_the_name_of_the_parameter(body: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_arguments(request(**body), limit=1_000_000)
    assert refused.value.code == "DLI.0001"
    assert refused.value.message.startswith(problem)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"args": []},
        {"args": ["", "\r\n", "ü✓🎉", "x" * MAX_ARGUMENT]},
        {"className": "org.example.Main"},
        {"conf": {"spark.driver.extraJavaOptions": None, "spark.test": "\0"}},
    ],
    ids=["nothing", "empty", "odd", "class", "conf"],
)
def test_everything_else_passes(body: dict[str, Any]) -> None:
    check_arguments(request(**body))
