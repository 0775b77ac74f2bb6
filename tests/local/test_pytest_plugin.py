import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_a_test_gets_a_server_and_an_environment_that_signs_in_to_it_and_to_nothing_else(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    monkeypatch.setenv("OS_CLOUD", "production")
    monkeypatch.setenv("DLI_ENDPOINT", "https://dli.example")
    pytester.makepyfile(f"""
        import os
        import requests

        def test_it(local_dli):
            assert "OS_CLOUD" not in os.environ
            assert local_dli.environment.items() <= os.environ.items()
            assert os.environ["DLI_ENDPOINT"] == local_dli.endpoint
            assert requests.get(local_dli.endpoint).status_code == 401
            assert {outcome == "passed"}

        def test_everything_is_as_before():
            assert os.environ["OS_CLOUD"] == "production"
            assert os.environ["DLI_ENDPOINT"] == "https://dli.example"
            assert "HW_ACCESS_KEY" not in os.environ
    """)
    expected = {"passed": 1} if outcome == "failed" else {"passed": 2}
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(**expected, failed=int(outcome == "failed"))


def test_each_test_has_a_server_of_its_own_with_the_options_of_its_module(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        import requests

        @pytest.fixture
        def local_dli_options():
            return {"queues": ["etl"]}

        @pytest.mark.parametrize("turn", range(2))
        def test_it(local_dli, turn):
            account = local_dli.server.credentials
            batches = f"{account.endpoint}/v2.0/{account.project_id}/batches"
            request = {"file": "obs://b/job.py", "queue": "etl"}
            requests.post(batches, json=request, headers={"X-Auth-Token": account.token}).raise_for_status()
            assert [job.queue for job in local_dli.jobs()] == ["etl"]
    """)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_without_the_extra_the_fixture_alone_fails_and_says_what_to_install(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = pytester.mkdir("hidden")
    (hidden / "uvicorn.py").write_text("raise ModuleNotFoundError('hidden', name='uvicorn')")
    monkeypatch.setenv("PYTHONPATH", str(hidden), prepend=":")
    pytester.makepyfile("""
        def test_with(local_dli): ...
        def test_with_spark(spark_jobs): ...
        def test_without(): ...
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["uvicorn is not installed. Run: pip install 'pulumi-dli?local?'"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_each_test_has_objects_and_jobs_of_its_own_with_the_options_of_its_module(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def spark_jobs_options():
            return {"engine": "timeline", "queues": ["etl"]}

        @pytest.mark.parametrize("turn", range(2))
        def test_it(spark_jobs, turn):
            assert spark_jobs.objects("obs://demo") == []
            spark_jobs.put("obs://demo/job.py", "")
            conf = {"spark.dli.local.timeline": "success"}
            assert spark_jobs.run("obs://demo/job.py", queue="etl", conf=conf).state == "success"
    """)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_who_does_not_use_it_pays_for_nothing() -> None:
    code = """if True:
        import pytest, sys
        before = {*sys.modules}
        import pulumi_dli.local.pytest_plugin
        print(*sorted({*sys.modules} - before))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pulumi_dli", "pulumi_dli.local", "pulumi_dli.local.pytest_plugin"]
