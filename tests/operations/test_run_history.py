from pulumi_dli.operations.run_history import MAX_RUNS, RunHistory

LOAD, OTHER = ("load", "11111111"), ("other", "22222222")


def test_the_last_ten_runs_are_handed_over_with_the_reason_for_the_next() -> None:
    history = RunHistory()
    earlier: object = None
    for number in range(12):
        history.will_be_replaced(LOAD, f"change {number}")
        history.ended(LOAD, {"id": str(number), "state": "success"}, earlier)
        earlier = history.of(LOAD)
    runs = history.of(LOAD)
    assert runs is not None
    assert len(runs) == MAX_RUNS
    assert runs[-1] == {"id": "11", "state": "success", "replacedBecause": "change 11"}
    assert [run["id"] for run in runs] == [str(number) for number in range(2, 12)]
    assert history.of(OTHER) is None


def test_junk_in_the_state_counts_as_no_history() -> None:
    history = RunHistory()
    history.ended(LOAD, {"id": "1"}, {"id": "0"})
    assert history.of(LOAD) == [{"id": "1", "replacedBecause": None}]
