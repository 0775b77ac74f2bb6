from tests.local.api import Api

UNKNOWN_ID = "7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b"


def test_calls_are_counted_by_method_and_route_answered_or_not(api: Api) -> None:
    assert api.call("DELETE", "/local/calls").status_code == 204
    job_id = api.submit()
    api.sessions()
    api.sessions(state="dead")
    for name in (job_id, UNKNOWN_ID, "42"):
        api.call("GET", f"{api.batches}/{name}/state")
    api.call("GET", api.batches, headers={})
    api.call("GET", "/nowhere")
    assert api.ask("GET", "/local/calls") == {
        "GET /batches": 3,
        "GET /batches/{id}/state": 3,
        "GET unknown": 1,
        "POST /batches": 1,
    }


def test_counting_starts_again_from_nothing(api: Api) -> None:
    api.sessions()
    api.call("DELETE", "/local/calls")
    assert api.ask("GET", "/local/calls") == {}
