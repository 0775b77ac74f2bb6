"""What is marked as secret stands nowhere in plain: not in the state, not on the screen, not in a log.

Real `pulumi up`s that go well or fail in many ways. Their jobs print all that they were given.
"""

import json
import logging
import re
import stat
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from html import escape
from textwrap import dedent
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic.alias_generators import to_snake

from pulumi_dli.local.testing import Service
from tests.project import Project, read_until, started

ARGUMENT, CONF, TRIGGER = "swordfish-argument", "swordfish-conf", "swordfish-trigger"
SECRETS = (ARGUMENT, CONF, TRIGGER)
ENDLESS = "starting:0s,running"
DEAD = "running:0.1s,dead"

PROGRAM = """
    import os
    argument, conf, trigger = (pulumi.Output.secret(os.environ[name]) for name in ("ARGUMENT", "CONF", "TRIGGER"))
    printed = pulumi.Output.all(argument, conf, trigger).apply(lambda texts: "\\n".join(["reading", *texts]))
    job = dli.BatchJob(
        "load", file="load.py", queue="default", args=["obs://demo/in", argument], triggers={{"key": trigger}},
        conf={{
            "spark.example.password": conf,
            "spark.example.url": pulumi.Output.format("jdbc:rds://u:{{0}}@host", conf),
            "spark.dli.local.log": printed,
            "spark.dli.local.timeline": "{timeline}",
        }},
        {more}
    )
    done = job.wait({wait})
    pulumi.export("log", done.log)
    pulumi.export("args", job.args)
"""


class Written:
    """All that is written: by Pulumi with our part in it, and by the local DLI beside its own records."""

    def __init__(
        self, project: Project, capture: pytest.CaptureFixture[str], records: pytest.LogCaptureFixture
    ) -> None:
        records.set_level(logging.DEBUG)
        self._project = project
        self._capture = capture
        self._records = records
        self._screen = ""

    def run(self, *command: str, works: bool = True) -> str:
        """Run a command; give its screen."""
        run = self._project.run(*command)
        assert (run.code == 0) is works, run.screen
        self._screen += run.screen
        return run.screen

    def up(self, *arguments: str, works: bool) -> str:
        return self.run("up", "--yes", "--skip-preview", "--diff", "--debug", *arguments, works=works)

    def up_that_shows_a_log(self, service: Service, *, works: bool) -> str:
        """Run an `up` that waits for a job until its log is shown, and cancel the job; give the screen."""
        with started(self._project, "--diff", "--debug") as up:
            screen = read_until(up, "\n[secret]\n")
            service.cancel(service.jobs()[0].id)
            screen += up.communicate()[0]
        assert (up.returncode == 0) is works, screen
        self._screen += screen
        return screen

    def leaks(self, secrets: Sequence[str] = SECRETS) -> list[tuple[str, str]]:
        """Name each secret that was written in plain, and where."""
        files = [path for path in self._project.folder.rglob("*") if path.is_file()]
        places = {path.name: path.read_text(errors="replace") for path in files}
        assert any(name.startswith("dev.json") for name in places)
        places |= {
            "screen": self._screen,
            "streams of the local DLI": "".join(self._capture.readouterr()),
            "log of the local DLI": self._records.text,
        }
        return [(place, secret) for place, text in places.items() for secret in secrets if secret in text]


@pytest.fixture
def written(project: Project, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Written:
    project.environment |= {"ARGUMENT": ARGUMENT, "CONF": CONF, "TRIGGER": TRIGGER}
    return Written(project, capfd, caplog)


def program(timeline: str = DEAD, more: str = "", wait: str = "") -> str:
    return PROGRAM.format(timeline=timeline, more=more, wait=wait)


def refusal(status: int, **rule: Any) -> dict[str, Any]:
    """Make the service repeat what it was sent."""
    message = f"conf spark.example.password={CONF} and args [{ARGUMENT!r}] are wrong"
    body = {"error_code": "DLI.0001" if status == 400 else "DLI.0999", "error_msg": message}
    return {"method": "POST", "action": "reply", "status": status, "body": body, **rule}


GONE = "5f0c2d6e-8a41-4b7d-9a53-1c6f0e7b2d94"
WAYS: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "success": (program("success"), [], "BatchJobWait"),
    "dead": (
        program(),
        [],
        r"load: batch job \S+ is dead, .*\n.*\n(  \| \[secret\]\n){4}The job's page: .*\nFix the cause",
    ),
    "timeout": (program(ENDLESS, wait="timeout='0.1s'"), [], r"is still \w+ after a wait of 0\.1 s"),
    "refused": (program(), [refusal(400)], r"nothing runs\. .*password=\[secret\] and args \['\[secret\]'\] are wrong"),
    "accepted": (program(), [refusal(500, when="after")], r"password=\[secret\].* searches for the job by its name"),
    "unclear": (program(), [refusal(500, count=None)], r"a job may run, submitted as load-"),
    "no log call": (
        program(),
        [{"path": "*/log", "action": "cut", "count": None}],
        r"  \| \[secret\]\n",
    ),
    "bad input": (
        program(more="jars=[argument.apply('{} '.format)], py_files=[conf, 7],"),
        [],
        r"(?s)(?=.*problem: py_files\[1\]: must be text).*problem: jars\[0\]: must be a package name or an obs:// path",
    ),
    "nothing to adopt": (program(more=f"adopt_id='{GONE}',"), [], f"adopt_id names batch job {GONE}, but the service"),
}


QUICK_WAYS = ("success", "dead", "unclear", "bad input")


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way in QUICK_WAYS else pytest.mark.slow) for way in WAYS]
)
def test_an_update_writes_no_secret_in_plain_however_it_ends(
    project: Project, service: Service, written: Written, way: str
) -> None:
    text, faults, told = WAYS[way]
    project.write(text)
    service.server.faults.set(faults)
    assert re.search(told, written.up(works=way == "success"))
    assert written.leaks() == []


def test_the_digits_of_a_secret_number_are_not_written(project: Project, service: Service, written: Written) -> None:
    """They go beside the number, which Pulumi rounds."""
    pin, rounded = "1234567890123456789", "1234567890123456768"
    project.environment["PIN"] = pin
    project.write("""
        import os
        pin = pulumi.Output.secret(int(os.environ["PIN"]))
        conf = {"spark.example.pin": pin, "spark.dli.local.log": pin.apply(str), "spark.dli.local.timeline": "dead"}
        dli.BatchJob("load", file="load.py", queue="default", conf=conf, triggers={"pin": pin}).wait()
    """)
    assert "  | [secret]\n" in written.up(works=False)
    assert service.jobs()[0].body["conf"]["spark.example.pin"] == pin
    assert "exactNumbers" in project.pulumi("stack", "export")
    assert written.leaks((pin, rounded, "1.2345678901234567e+18", "1234567890123456800")) == []


def test_a_log_that_is_shown_as_it_comes_shows_no_secret(project: Project, service: Service, written: Written) -> None:
    project.write(program(ENDLESS, wait="until='finished', stream_log=True"))
    assert re.search(r"\n(\[secret\]\n){4}", written.up_that_shows_a_log(service, works=True))
    assert written.leaks() == []


@pytest.mark.slow
def test_no_command_in_the_life_of_a_job_writes_a_secret_in_plain(
    project: Project, service: Service, written: Written
) -> None:
    project.write(program(ENDLESS, wait="until='running'"))
    written.run("preview", "--diff")
    written.up(works=True)
    (job,) = service.jobs()
    assert all(secret in str(job.body) for secret in (ARGUMENT, CONF))
    written.run("refresh", "--yes", "--diff")
    assert "[secret]" in written.run("stack", "output")
    project.environment["ARGUMENT"] = f"{ARGUMENT}-2"
    assert "cancels run" in written.run("preview", "--diff")
    written.up(works=True)
    service.cut("DELETE", "/batches/{id}", count=None)
    written.run("destroy", "--yes", "--diff", works=False)
    service.clear_faults()
    written.run("destroy", "--yes", "--diff")
    assert written.leaks() == []


ADDED = "swordfish-added"
ADD = """
    def add(args):
        if args.type_.endswith("dli:BatchJob"):
            args.props["conf"] = {{**(args.props.get("conf") or {{}}), "spark.example.added": added}}
        return pulumi.{result}(args.props, args.opts)
    pulumi.runtime.{register}(add)
"""
TRANSFORMS = {
    "old transformation": ADD.format(result="ResourceTransformationResult", register="register_stack_transformation"),
    "transform": ADD.format(result="ResourceTransformResult", register="register_resource_transform"),
}
WITH_CONF = "conf={'spark.example.queue': 'nightly'},"


@pytest.mark.parametrize(
    ("transform", "conf"),
    [
        ("transform", WITH_CONF),
        pytest.param("transform", "", marks=pytest.mark.slow),
        pytest.param("old transformation", WITH_CONF, marks=pytest.mark.slow),
        pytest.param("old transformation", "", marks=pytest.mark.slow),
    ],
    ids=["transform", "transform, no conf", "old transformation", "old transformation, no conf"],
)
def test_a_secret_that_a_transform_adds_is_written_nowhere(
    project: Project, service: Service, written: Written, transform: str, conf: str
) -> None:
    project.environment["ADDED"] = ADDED
    text = f"""
        import os
        added = pulumi.Output.secret(os.environ["ADDED"])
        job = dli.BatchJob("load", file="load.py", queue="default", {conf})
        done = job.wait("finished")
        pulumi.export("state", done.state)
    """
    project.write(dedent(text).replace("job =", f"{dedent(TRANSFORMS[transform])}job =", 1))
    log = f"login with {ADDED} failed\nqueue nightly"
    service.play("load", "running:0.5s,dead", log)
    written.up(works=True)
    written.run("refresh", "--yes", "--diff")
    assert written.leaks([ADDED]) == []
    project.write((project.folder / "__main__.py").read_text().replace('wait("finished")', "wait(timeout='1m')"))
    screen = written.up("--replace", "**::load", works=False)
    assert "  | login with [secret] failed\n  | queue nightly\n" in screen
    assert written.leaks([ADDED]) == []


@pytest.mark.slow
def test_what_is_marked_by_additional_secret_outputs_is_masked(project: Project, service: Service) -> None:
    project.environment["ARGUMENT"] = ARGUMENT
    service.play("load", "running:0.5s,dead", f"with {ARGUMENT}")
    project.write("""
        import os
        opts = pulumi.ResourceOptions(additional_secret_outputs=["args"])
        args = ["--password", os.environ["ARGUMENT"]]
        job = dli.BatchJob("load", file="load.py", queue="default", args=args, opts=opts)
        job.wait()
    """)
    screen = project.failing_up()
    assert "  | with [secret]\n" in screen
    assert ARGUMENT not in screen


@pytest.mark.slow
def test_a_log_stays_readable_though_an_object_is_secret_as_a_whole(
    project: Project, service: Service, written: Written
) -> None:
    """The outputs of another stack are such an object if one of them is secret."""
    log = f"WARN task 2.0 in stage 2.0: queue default has 2 executors, eu-de\nrow {ARGUMENT} is bad"
    service.play("load", "running:0.5s,dead", log)
    project.write("""
        import os
        spark = pulumi.Output.secret({"queue": "default", "executors": 2, "token": os.environ["ARGUMENT"]})
        job = dli.BatchJob(
            "load", file="load.py", queue=spark["queue"], num_executors=spark["executors"], args=[spark["token"], "2"],
        )
        job.wait()
    """)
    screen = written.up(works=False)
    assert "  | WARN task 2.0 in stage 2.0: queue default has 2 executors, eu-de\n  | row [secret] is bad\n" in screen
    assert written.leaks() == []


@pytest.mark.slow
def test_a_secret_name_queue_or_place_stays_secret_under_every_name(
    project: Project, service: Service, written: Written
) -> None:
    account = service.server.credentials
    project.environment |= {"NAME": "swordfish-name", "PROJECT": account.project_id, "REGION": account.region}
    del project.environment["OS_PROJECT_ID"], project.environment["OS_REGION_NAME"]
    project.environment |= {"OS_AUTH_URL": account.auth_url, "OS_PROJECT_NAME": account.project_name}
    project.write("""
        import os
        name, project, region = (pulumi.Output.secret(os.environ[key]) for key in ("NAME", "PROJECT", "REGION"))
        conf = {"spark.dli.local.timeline": "running:0.1s,success"}
        where = {"project_id": project, "region": region}
        job = dli.BatchJob("load", file="load.py", queue="default", name=name, conf=conf, **where)
        job.wait()
        pulumi.export("where", job.submitted_to)
        pulumi.export("name", job.submitted_name)
    """)
    screen = written.run("up", "--yes", "--skip-preview")
    assert screen.count(": [secret]") == 2
    written.run("refresh", "--yes")
    state = project.pulumi("stack", "export")
    assert [text for text in ("swordfish-name", account.project_id) if text in state] == []
    assert service.jobs()[0].name == "swordfish-name"
    project.up("--expect-no-changes")


@pytest.mark.slow
def test_the_refused_value_of_a_secret_is_not_shown(project: Project, written: Written) -> None:
    project.write("""
        secret = pulumi.Output.secret
        dli.BatchJob("load", file="load.py", driver_memory=secret("memsword"), num_executors=secret("4711"))
    """)
    screen = written.up(works=False)
    assert "driver_memory: must be a size with a unit, for example '2G' or '2048M'\n" in screen
    assert "num_executors: must be a whole number; write it without quotes and without a fraction\n" in screen
    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace("secret(", "("))
    assert "but is 'memsword'" in project.failing_up()


def forms_of(secret: str) -> list[str]:
    """Give the forms in which programs write a secret."""
    data = secret.encode()
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        b64encode(data).decode(),
        b64encode(b"u:" + data + b"@host").decode(),
        urlsafe_b64encode(b"u" + data).decode(),
        data.hex(),
        data.hex().upper(),
        escape(secret),
        repr(secret)[1:-1],
        secret.upper(),
        secret.replace("'", "'\\''"),
    ]


FIFTEEN = (
    "pin",
    "tr0mb",
    "hunter2",
    "correct horse",
    "p4ss'word\"quoted",
    "back\\slash\\path",
    "<xml>&amp;co",
    "schlüssel-ö",
    "100%+percent/slash",
    "jdbc:rds://u:pw@host:5432/db",
    "1234567890123",
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----",
    "x y\nzz\nq1",
    '{"token": "abcdefgh"}',
    "ends with blanks  ",
)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_fifteen_secrets_in_fourteen_forms_are_written_nowhere(
    project: Project, service: Service, written: Written, part: int
) -> None:
    """In the state, on the screen, in events, in the debug log and in the log of the local DLI."""
    secrets = FIFTEEN[part::3]
    project.environment |= {"SECRETS": json.dumps(secrets), "DLI_LOG": "debug"}
    project.environment["DLI_LOG_PATH"] = str(project.folder / "calls.log")
    lines = [line for secret in secrets for form in forms_of(secret) for line in (form, "--")]
    log = "\n".join(lines)
    service.play("load", "running:1s,dead", log)
    project.write("""
        import json, os
        args = [pulumi.Output.secret(text) for text in json.loads(os.environ["SECRETS"])]
        job = dli.BatchJob("load", file="load.py", queue="default", args=args)
        done = job.wait("finished", stream_log=True)
        pulumi.export("log", done.log)
        pulumi.export("job", job.log)
        job.wait()
    """)
    screen = written.up(works=False)
    assert screen.count("[secret]") > 14 * len(secrets) / 2
    written.run("refresh", "--yes", "--diff", "--json")
    written.run("stack", "export")
    forms = [form for secret in secrets if len(secret) >= 8 for form in forms_of(secret) if "\n" not in form]
    forms += [secret for secret in secrets if "\n" not in secret]
    found = {(place, form) for place, form in written.leaks(forms) if form != "pin"}  # a word of the log's own
    assert found == set()


@pytest.mark.slow
def test_what_is_marked_as_secret_later_is_stored_so(project: Project, service: Service, written: Written) -> None:
    text = program("success", more="cancel_timeout=0,")
    project.write(text.replace("pulumi.Output.secret(os", "pulumi.Output.from_input(os"))
    project.up()
    assert {secret for _, secret in written.leaks()} == {*SECRETS}
    project.write(text)
    project.up()
    state = project.pulumi("stack", "export")
    assert not [secret for secret in SECRETS if secret in state]
    assert len(service.jobs()) == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (("accessKey", "secretKey"), ("secretKey", "swordfish-key", "APIGW.0301 401, wrong credentials or signature")),
        pytest.param(
            ("username", "password", "domainName"), ("password", "swordfish-password", "401"), marks=pytest.mark.slow
        ),
        pytest.param(("token",), ("token", "swordfish-token", "401"), marks=pytest.mark.slow),
        pytest.param(
            ("token",), ("token", "swordfish\ttoken", "a character that cannot be sent"), marks=pytest.mark.slow
        ),
    ],
    ids=["key", "password", "token", "broken token"],
)
def test_credentials_of_the_stacks_configuration_are_never_written(
    project: Project, service: Service, written: Written, right: tuple[str, ...], wrong: tuple[str, str, str]
) -> None:
    key, value, told = wrong
    account = service.server.credentials
    for name in ("OS_ACCESS_KEY", "OS_SECRET_KEY"):
        del project.environment[name]
    project.environment["OS_AUTH_URL"] = account.auth_url
    project.write('dli.BatchJob("load", file="load.py", queue="default").wait()')

    def configure(values: dict[str, str]) -> None:
        options = [word for name, text in values.items() for word in ("--secret", f"dli:{name}={text}")]
        written.run("config", "set-all", *options)

    configure({name: getattr(account, to_snake(name)) for name in right})
    written.up(works=True)
    configure({key: value})
    assert told in written.up("--replace", "**::load", works=False)
    assert written.leaks((account.secret_key, account.password, account.token, "swordfish")) == []


@pytest.mark.slow
def test_secrets_of_configured_jobs_are_never_written(project: Project, service: Service, written: Written) -> None:
    project.write("pulumi.export('args', dli.jobs_from_config()['load'].args)")
    with (project.folder / "Pulumi.dev.yaml").open("a") as file:
        file.write(
            dedent("""
            config:
              dli:jobDefaults: {queue: default, wait: {streamLog: true}}
              dli:jobs:
                load: {file: load.py, conf: {spark.dli.local.timeline: running}}
            """)
        )
    path, log = "dli:jobs.load.args[0]", 'dli:jobs.load.conf["spark.dli.local.log"]'
    written.run("config", "set-all", "--path", "--secret", f"{path}={ARGUMENT}", "--secret", f"{log}=with {ARGUMENT}")
    assert "  | [secret]" in written.up_that_shows_a_log(service, works=False)
    assert ARGUMENT in service.jobs()[0].body["args"]
    written.run("config", "set", "--path", "--secret", "dli:jobs.load.args", ARGUMENT)
    assert "dli:jobs.load.args: must be a list, but is text" in written.up(works=False)
    written.run("config", "set", "--secret", "dli:jobDefaults", ARGUMENT)
    assert "dli:jobDefaults: must be a map" in written.up(works=False)
    assert written.leaks() == []


@pytest.mark.slow
def test_at_the_engines_highest_log_level_only_the_engine_writes_secrets(project: Project, written: Written) -> None:
    """With `-v=9` Pulumi writes every property of every call, unencrypted, ours like anybody's."""
    project.write(program())
    screen = written.up("--logtostderr", "-v=9", works=False)
    plain = [line for line in screen.splitlines() if any(secret in line for secret in SECRETS)]
    engine = r'\{"time":"[^"]+","level":"INFO","msg":"(Unm|M)arshaling property for RPC\[(ResourceMonitor|Provider)\b'
    assert plain
    assert [line for line in plain if not re.match(engine, line)] == []


def test_the_debug_log_has_the_calls_of_the_program_and_of_the_provider_and_no_secret(
    project: Project, service: Service, written: Written
) -> None:
    log = project.folder / "calls.log"
    project.environment |= {"DLI_LOG": "debug", "DLI_LOG_PATH": str(log)}
    project.write(program("running:0.5s,success"))
    screen = written.up(works=True)
    text = log.read_text()
    submitted = r"POST /v2\.0/\{project_id\}/batches: 200 in \d+ ms, attempt 1"
    assert re.search(rf"DEBUG \[\d+\] pulumi_dli\.http: {submitted}", text)
    assert re.search(f"dli: {submitted}", screen)
    assert len(set(re.findall(r"\[(\d+)\] pulumi_dli", text))) == 2  # the processes of the program and of the provider
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    account = service.server.credentials
    assert written.leaks((*SECRETS, account.access_key, account.secret_key, account.token)) == []
    assert account.project_id not in text
