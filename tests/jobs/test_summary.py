from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.jobs.summary import MAX_LINES, JobOutcome, summary

LOAD = JobOutcome("load", "dead", 185.0, 98.0, 62.0, 0.4219, "https://console.example.org/load")


def test_the_summary_has_a_line_for_each_job_and_failed_ones_come_first() -> None:
    outcomes = [JobOutcome("extract", "success", 14.0, 12.0, 9.5), LOAD, JobOutcome("stream", "running", 3.0)]
    assert summary(outcomes).splitlines() == [
        "3 jobs: 1 dead, 1 running, 1 success",
        "  load     dead     waited 3 min 5 s, took 1 min 38 s, ran 1 min 2 s, about 0.42 CU-hours  https://console.example.org/load",
        "  stream   running  waited 3.0 s",
        "  extract  success  waited 14 s, took 12 s, ran 9.5 s",
    ]


def test_one_job_is_no_plural() -> None:
    assert summary([JobOutcome("load", "success")]) == "1 job: 1 success\n  load  success"


@given(st.lists(st.sampled_from(["success", "dead", "running", ""]), min_size=1, max_size=120))
def test_the_summary_has_twenty_lines_at_most_and_counts_every_job(states: list[str]) -> None:
    text = summary([JobOutcome(f"job-{number}", state) for number, state in enumerate(states)])
    lines = text.splitlines()
    assert len(lines) <= MAX_LINES
    shown = [line.split()[1:2] for line in lines[1:] if not line.startswith("  and ")]
    rest = sum(int(word) for word in lines[-1].split() if word.isdigit()) if lines[-1].startswith("  and ") else 0
    assert len(shown) + rest == len(states)
    ranks = [{"dead": 0, "success": 2}.get(state[0] if state else "", 1) for state in shown]
    assert ranks == sorted(ranks)


def test_a_job_ran_no_longer_than_it_took() -> None:
    extrapolated = JobOutcome("load", "running", waited=21.0, ran=22.0, cu_hours=0.044)
    ended = extrapolated.ended("success", 20.0)
    assert ended.facts == "waited 21 s, took 20 s, ran 20 s, about 0.04 CU-hours"
    assert ended.state == "success"


def test_what_a_job_ran_stays_if_it_waited_for_capacity_too() -> None:
    outcome = JobOutcome("load", "running", waited=21.0, ran=5.0, cu_hours=0.044)
    assert outcome.ended("success", 20.0).facts == "waited 21 s, took 20 s, ran 5.0 s, about 0.044 CU-hours"
    assert outcome.ended("success", None).facts == "waited 21 s, ran 5.0 s, about 0.044 CU-hours"
