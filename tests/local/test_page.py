import html
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from pulumi_dli.jobs.naming import SubmissionName
from pulumi_dli.local.engines import WebReply
from pulumi_dli.local.engines.timeline import TimelineEngine
from pulumi_dli.local.server import LocalDli
from tests.local.api import ENDLESS, TIMEOUT, Api, Clock, eventually
from tests.local.test_gateway import raw_call

UNKNOWN = "/jobs/7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b"
HOSTILE = """<img src=x onerror=alert(1)>"'&{{7*7}}</script>"""


class Browser:
    """What a browser keeps: its cookies, and in `home` the path of its session."""

    def __init__(self, dli: LocalDli) -> None:
        self.dli = dli
        self.home = ""
        self.http = requests.Session()

    def url(self, path: str) -> str:
        """Give an address of the page, whose path may lack that of the session."""
        is_whole = path.startswith(("/page/", "/sign-in", "/static/"))
        return self.dli.endpoint + (path if is_whole else self.home + path)

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        return self.http.request(method, self.url(path), timeout=TIMEOUT, allow_redirects=False, **options)  # type: ignore[arg-type]

    def open(self, link: str) -> requests.Response:
        reply = self.ask("GET", link.removeprefix(self.dli.endpoint))
        if leads_to := re.search(r'http-equiv="refresh" content="0; url=(.*)/"', reply.text):
            self.home = leads_to[1]
        return reply

    def at(self, host: str, path: str) -> requests.Response:
        """Ask by another name for the machine, with all cookies."""
        [(name, value)] = self.http.cookies.items()
        headers = {"Host": host, "Cookie": f"{name}={value}"}
        return requests.get(self.url(path), headers=headers, timeout=TIMEOUT)

    def page(self, path: str) -> str:
        reply = self.ask("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.text

    def text(self, path: str = "/") -> str:
        return text_of(self.page(path))

    def token(self) -> str:
        form = rf'action="{self.home}/sign-out">\s*<input type="hidden" name="token" value="([^"]+)"'
        [token] = re.findall(form, self.page("/"))
        return str(token)

    def press(self, path: str, token: str | None = None) -> requests.Response:
        """Send the form that leads to a path."""
        return self.ask("POST", path, data={"token": self.token() if token is None else token})


def text_of(page: str) -> str:
    """Give what is read on a page."""
    main = page.split("<main", 1)[1].split(">", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split()).replace(" ,", ",")


def link_named(page: str, name: str) -> str:
    [address] = re.findall(rf'<a [^>]*href="([^"#]+)[^>]*>{name}</a>', page)
    return html.unescape(address)


@pytest.fixture
def browser(dli: LocalDli) -> Browser:
    """A browser that has signed in."""
    browser = Browser(dli)
    assert browser.open(dli.sign_in_link()).status_code == 200
    return browser


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queueing(tmp_path: Path, clock: Clock) -> Iterator[LocalDli]:
    """A local DLI whose clock stands still, with a queue for one large job or two small ones."""
    options = {"engine": "timeline", "queues": ["batch:16"], "keep_finished": 3600, "now": clock}
    with LocalDli(tmp_path, **options) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture
def own(queueing: LocalDli) -> Browser:
    browser = Browser(queueing)
    browser.open(queueing.sign_in_link())
    return browser


def test_a_link_signs_one_browser_in_and_then_no_other(dli: LocalDli) -> None:
    link = dli.sign_in_link()
    first, second = Browser(dli), Browser(dli)
    reply = first.open(link)
    assert (reply.status_code, text_of(reply.text)) == (200, "Signed in You are signed in. Continue to the jobs")
    assert re.fullmatch(r"/page/[\w-]{22}", first.home)
    assert first.text().startswith("Jobs ")
    reply = second.open(link)
    assert reply.status_code == 401
    assert "The link was used before" in text_of(reply.text)
    assert "pulumi-dli local link --data DIR" in text_of(reply.text)
    assert second.ask("GET", "/").status_code == 401


def test_the_cookie_is_for_this_service_alone_and_no_script_reads_it(dli: LocalDli) -> None:
    browser = Browser(dli)
    [cookie] = browser.open(dli.sign_in_link()).headers["Set-Cookie"].split(",")
    name, *attributes = cookie.split("; ")
    assert re.fullmatch(r"local-dli=[\w-]{43}", name)
    assert {*attributes} == {"HttpOnly", "SameSite=strict", f"Path={browser.home}"}


def test_another_link_opens_another_session_and_the_first_one_stays(dli: LocalDli, browser: Browser) -> None:
    first = browser.home
    assert browser.open(dli.sign_in_link()).status_code == 200
    assert first != browser.home
    for home in (first, browser.home):
        browser.page(f"{home}/")


@pytest.mark.parametrize("query", ["", "?code=", "?code=wrong", "?code=%00%ff", "?code=a&code=b", "?kode=x"])
def test_a_link_that_was_never_given_signs_nobody_in(dli: LocalDli, query: str) -> None:
    reply = Browser(dli).ask("GET", f"/sign-in{query}")
    assert (reply.status_code, "Set-Cookie" in reply.headers) == (401, False)


def test_the_api_gives_a_link_to_who_has_its_credentials(dli: LocalDli, api: Api) -> None:
    reply = api.call("POST", "/local/sign-in-links")
    assert reply.status_code == 201
    assert Browser(dli).open(reply.json()["url"]).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page/x/sign-out",
        "/page/x/",
        "/jobs/",
        UNKNOWN,
        "{job}",
        "{job}/cancel",
        "{job}/nothing",
        "{job}/spark/",
        "{job}/logs/1",
    ],
)
def test_without_a_session_nothing_is_shown_or_done(dli: LocalDli, api: Api, path: str, method: str) -> None:
    job_id = api.submit(ENDLESS, name="unseen")
    stranger = Browser(dli)
    stranger.http.cookies.set("local-dli", "wrong")
    stranger.http.headers["X-Auth-Token"] = api.account.token
    reply = stranger.ask(method, path.format(job=f"/jobs/{job_id}"), data={"token": "wrong"})
    assert reply.status_code == 401
    assert "unseen" not in reply.text
    if method != "HEAD":
        assert text_of(reply.text).startswith("Sign in ")
    assert api.wait(job_id, "running", "dead") == "running"


def test_a_session_of_the_page_opens_no_call_of_the_api(dli: LocalDli, browser: Browser, api: Api) -> None:
    for path in (api.batches, "/local/calls", "/v3/projects", "/no/such/route"):
        [(name, value)] = browser.http.cookies.items()
        reply = requests.get(dli.endpoint + path, headers={"Cookie": f"{name}={value}"}, timeout=TIMEOUT)
        assert (reply.status_code, reply.json()["error_code"]) == (401, "APIGW.0301")


def test_a_session_ends_with_the_server(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    browser = Browser(dli)
    with dli:
        port = urlsplit(dli.endpoint).port
        browser.open(dli.sign_in_link())
        browser.page("/")
    with LocalDli(tmp_path, engine="timeline", port=port or 0):
        assert browser.ask("GET", "/").status_code == 401


def test_there_are_no_links_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        LocalDli(tmp_path).sign_in_link()


def test_signing_out_ends_the_session_and_needs_the_forms_token(browser: Browser) -> None:
    assert browser.press("/sign-out", "wrong").status_code == 403
    browser.page("/")
    reply = browser.press("/sign-out")
    assert (reply.status_code, text_of(reply.text)[:10]) == (200, "Signed out")
    assert browser.ask("GET", "/").status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "evil.example:{port}", "", "[::1", "x/sign-in?"]
)
@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/page.css", UNKNOWN])
def test_a_foreign_name_that_leads_here_shows_nothing(browser: Browser, path: str, host: str) -> None:
    host = host.format(port=urlsplit(browser.dli.endpoint).port)
    reply = browser.at(host, path)
    assert (reply.status_code, text_of(reply.text).split(" This")[0]) == (421, "Wrong address")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9999", "[::1]:8080"])
def test_a_tunnel_may_end_at_another_port(browser: Browser, host: str) -> None:
    assert browser.at(host, "/").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/static/page.js", 200), ("/static/nothing", 404), (UNKNOWN, 404), ("/?size=x", 400)],
)
def test_every_answer_forbids_foreign_content_frames_and_copies(browser: Browser, path: str, status: int) -> None:
    reply = browser.ask("GET", path)
    assert reply.status_code == status
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == policy.pop("base-uri") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'"}
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/static/../page.py", "/static/%2e%2e/page.py", "/static/..%2fserver.py", "/static/"])
def test_nothing_but_static_files_is_static(browser: Browser, path: str) -> None:
    request = requests.Request("GET", browser.dli.endpoint).prepare()
    request.url = browser.dli.endpoint + path
    reply = browser.http.send(request, timeout=TIMEOUT)
    assert reply.status_code in (401, 404)
    assert "import" not in reply.text


def test_hostile_text_is_shown_as_it_is(browser: Browser, api: Api) -> None:
    job_id = api.submit(
        "running:0s,success",
        {HOSTILE: HOSTILE, "spark.dli.local.log": HOSTILE},
        name=HOSTILE,
        args=[HOSTILE],
        file=f"obs://jobs/{HOSTILE}.py",
        modules=[HOSTILE],
        image=HOSTILE,
        sc_type="A",
    )
    api.wait(job_id, "success")
    pages = [browser.page("/"), browser.page(f"/jobs/{job_id}"), browser.page(f"/?job_name={HOSTILE}")]
    for page in pages:
        assert "<img" not in page
        assert page.count("</script>") == page.count("<script")
        assert HOSTILE in text_of(page)
    assert text_of(pages[1]).count(json.dumps(HOSTILE)) == 7
    for path in (f"/jobs/{HOSTILE}", f"/?state={HOSTILE}", f"/jobs/{job_id}?log={HOSTILE}", f"/sign-in?code={HOSTILE}"):
        assert "<img" not in browser.ask("GET", path).text


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (UNKNOWN, 404, "The job does not exist."),
        ("/jobs/nonsense", 404, "The job does not exist."),
        ("/?state=nonsense", 400, "Parameter state is invalid: it must be one of "),
        ("/?from=-1", 400, "Parameter from is invalid: it must be an integer, at least 0."),
        ("{job}?log=0", 400, "Parameter log is invalid: it must be `submission` or the number of an attempt, from 1."),
        ("{job}?from=x", 400, "Parameter from is invalid: it must be an integer, at least 0."),
        ("{job}/logs/x", 400, "Parameter log is invalid: it must be `submission` or the number of an attempt, from 1."),
        ("{job}/logs/2", 404, "This attempt has no log."),
        ("{job}/nothing", 404, "The local DLI cannot do this."),
    ],
)
def test_what_cannot_be_shown_is_said(browser: Browser, api: Api, path: str, status: int, text: str) -> None:
    reply = browser.ask("GET", path.format(job=f"/jobs/{api.submit(ENDLESS)}"))
    assert (reply.status_code, text in text_of(reply.text)) == (status, True), reply.text


def test_a_job_is_cancelled_by_its_form(browser: Browser, api: Api) -> None:
    job_id = api.submit(ENDLESS)
    reply = browser.press(f"/jobs/{job_id}/cancel")
    assert (reply.status_code, reply.headers["Location"]) == (303, f"{browser.home}/jobs/{job_id}")
    api.wait(job_id, "dead")
    assert "Cancel job" not in browser.text(f"/jobs/{job_id}")
    reply = browser.press(f"/jobs/{job_id}/cancel")
    assert reply.status_code == 409
    assert "The job cannot be canceled: it is in state dead." in text_of(reply.text)


@pytest.mark.parametrize("token", ["", "wrong", "gr\xfcn"])
def test_a_form_of_another_page_cancels_nothing(browser: Browser, api: Api, token: str) -> None:
    job_id = api.submit(ENDLESS)
    stranger = Browser(browser.dli)
    stranger.open(browser.dli.sign_in_link())
    for wrong in (token, stranger.token()):
        assert browser.press(f"/jobs/{job_id}/cancel", wrong).status_code == 403
    assert browser.ask("POST", f"/jobs/{job_id}/cancel", data=b"token=" + b"x" * 5000).status_code == 413
    assert api.wait(job_id, "running", "dead") == "running"


def test_a_form_that_breaks_off_cancels_nothing(browser: Browser, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    job_id = api.submit(ENDLESS)
    [(name, value)] = browser.http.cookies.items()
    headers = f"Host: 127.0.0.1\r\nCookie: {name}={value}\r\nContent-Length: 99\r\n\r\ntoken="
    assert raw_call(api, f"POST {browser.home}/jobs/{job_id}/cancel HTTP/1.1\r\n{headers}".encode()) == b""
    assert api.wait(job_id, "running", "dead") == "running"
    assert caplog.records == []


def test_many_jobs_are_shown_page_by_page(own: Browser) -> None:
    api = Api(own.dli.credentials)
    for number in range(101):
        api.submit("success", name=f"job {number:03}")
    api.submit("success", name="other")
    names, path = [], "/?job_name=JOB"
    for first, last in ((1, 50), (51, 100), (101, 101)):
        page = own.page(path)
        assert f"Jobs {first} to {last} of 101, the newest first" in text_of(page)
        names += re.findall(r"<bdi>(.*?)</bdi>", page)
        if last < 101:
            path = link_named(page, "Older jobs")
    assert names == [f"job {number:03}" for number in reversed(range(101))]
    assert "Older jobs" not in page
    assert "Jobs 1 to 50 of 101" in own.text(link_named(own.page(link_named(page, "Newer jobs")), "Newer jobs"))
    assert "No job matches." in own.text("/?from=500")


def test_the_table_can_be_narrowed_by_name_state_and_queue(own: Browser) -> None:
    assert "No jobs yet" in own.text()
    api = Api(own.dli.credentials)
    ids = [api.submit(timeline, name=name) for name, timeline in (("a1", ENDLESS), ("a2", "success"), ("b", "dead"))]
    for job_id in ids:
        api.wait(job_id, "running", "success", "dead")
    shown = {
        query: re.findall(r"<bdi>(.*?)</bdi>", own.page(f"/?{query}"))
        for query in ("job_name=A", "state=dead", "queue_name=batch", "job_name=a&state=running", "state=&job_name=")
    }
    assert list(shown.values()) == [["a2", "a1"], ["b"], [], ["a1"], ["b", "a2", "a1"]]
    assert '<option value="dead" selected>dead (failed, cancelled, interrupted, no capacity)</option>' in own.page(
        "/?state=dead"
    )


def test_it_shows_who_waits_for_what_and_who_had_it(own: Browser, clock: Clock) -> None:
    api = Api(own.dli.credentials)
    first = api.submit(ENDLESS, name="first", queue="batch", sc_type="B")
    api.wait(first, "running")
    second = api.submit(ENDLESS, name="second", queue="batch", sc_type="A")
    clock.seconds += 25
    assert "second starting first in queue batch, waits for 8 CUs batch" in own.text()
    assert "batch 16 of 16 1 running, 1 starting" in own.text()
    assert "default 0 no limit none" in own.text()
    assert "none waiting for 8 CUs of queue batch 25 s Running while it waited: first (batch, 16 CUs)" in own.text(
        f"/jobs/{second}"
    )
    api.cancel(first)
    api.wait(second, "running")
    clock.seconds += 70
    assert re.search(r"second running batch [-\d]+ [:\d]+ waited 25 s ran 1 min 10 s", own.text())
    assert "batch 8 of 16 1 running" in own.text()
    text = own.text(f"/jobs/{second}")
    assert re.search(
        r"none waiting 25 s [-\d]+ [:\d]+ 1 running 1 min 10 s Running while it waited: first \(batch", text
    )
    assert "Running while it waited" not in own.text(f"/jobs/{first}")


def test_a_job_that_recovers_shows_its_attempts_with_a_log_each(browser: Browser, api: Api) -> None:
    conf = {"spark.dli.local.log": "hello"}
    job_id = api.submit("running:60ms,dead", conf, auto_recovery=True, maxRetryTimes=1, minRecoveryDelayTime=60)
    api.wait(job_id, "dead")
    text = browser.text(f"/jobs/{job_id}")
    assert [word in text for word in ("1 running", "1 recovering", "2 running", "2 failed")] == [True] * 4
    assert "Submission Attempt 1 Attempt 2 Text in the log Errors only Search Download hello Request" in text
    assert "Attempt 3" not in text
    for name, shown in (("submission", "Search Request"), ("1", "Search Download hello"), ("3", "Search Request")):
        assert shown in browser.text(f"/jobs/{job_id}?log={name}")


def test_a_long_log_is_shown_from_its_end_and_page_by_page(browser: Browser, api: Api) -> None:
    lines = [f"line {number}" for number in range(1100)]
    lines[-1] = "x" * 5000
    job_id = api.submit("running:0s,success", {"spark.dli.local.log": "\n".join(lines)})
    api.wait(job_id, "success")

    def shown(page: str) -> list[str]:
        return re.findall(r'data-number="\d+">(.*?)</div>', page)

    page = browser.page(f"/jobs/{job_id}")
    assert shown(page) == [*lines[600:-1], "x" * 4000 + " … 1000 more characters"]
    page = browser.page(link_named(page, "Earlier lines"))
    assert shown(page) == lines[100:600]
    page = browser.page(link_named(page, "Earlier lines"))
    assert shown(page) == lines[:500]
    assert "Earlier lines" not in page
    page = browser.page(link_named(page, "Later lines"))
    assert shown(page) == lines[500:1000]
    assert "data-follows" not in page
    assert shown(browser.page(link_named(page, "Last lines")))[:-1] == lines[600:-1]


def test_a_large_request_is_shown_in_part(browser: Browser, api: Api) -> None:
    job_id = api.submit("success", args=["a" * 10**6])
    page = browser.page(f"/jobs/{job_id}")
    assert len(page) < 150_000
    assert re.search(r"a … 90\d{4} more characters", page)


def test_a_record_that_has_expired_is_gone(own: Browser, clock: Clock) -> None:
    job_id = Api(own.dli.credentials).submit("success", name="old")
    Api(own.dli.credentials).wait(job_id, "success")
    clock.seconds += 3599
    assert "old" in own.text()
    clock.seconds += 2
    assert "No jobs yet" in own.text()
    reply = own.ask("GET", f"/jobs/{job_id}")
    assert reply.status_code == 404
    assert "The local DLI removes the record of a job some time after its end." in text_of(reply.text)


def test_who_looks_is_not_counted_and_meets_no_faults(own: Browser) -> None:
    own.dli.faults.set([{"action": "reply", "status": 503}])
    own.page("/")
    assert own.dli.call_counter.as_dict() == {}
    own.dli.faults.set([])


class WebPages:
    """Web pages of a job that say how they were filters, and lead to a place of that name."""

    def get(self, target: str, _path: str) -> WebReply:
        if target == "/gone?":
            raise ConnectionRefusedError("Connection refused")
        return WebReply(302, "text/plain", target, target.encode())


@pytest.fixture
def web_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimelineEngine, "web_ui", lambda _engine, _job_id: WebPages())


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/", "/?"),
        ("/stages/stage/?id=0&attempt=0", "/stages/stage/?id=0&attempt=0"),
        ("//evil.example/", "//evil.example/?"),
        ("/a%20b%3Fc%23?x=%0D%0A", "/a%20b%3Fc%23?x=%0D%0A"),
        ("/%C3%9C", "/%C3%9C?"),
    ],
)
@pytest.mark.usefixtures("web_pages")
def test_what_is_asked_of_a_jobs_web_pages_reaches_them(browser: Browser, api: Api, address: str, target: str) -> None:
    reply = browser.ask("GET", f"/jobs/{api.submit()}/spark{address}")
    assert (reply.status_code, reply.text, reply.headers["Location"]) == (302, target, target)


@pytest.mark.usefixtures("web_pages")
def test_a_jobs_web_pages_are_only_read(browser: Browser, api: Api) -> None:
    base = f"/jobs/{api.submit()}/spark/"
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert browser.ask(method, base).status_code == 405


@pytest.mark.usefixtures("web_pages")
def test_a_jobs_web_pages_load_nothing_from_elsewhere_either(browser: Browser, api: Api) -> None:
    headers = browser.ask("GET", f"/jobs/{api.submit()}/spark/").headers
    assert headers["Referrer-Policy"] == "no-referrer"  # a worker of a cluster has a page at another port
    policy = headers["Content-Security-Policy"]
    sources = {source for rule in policy.split(";") for source in rule.split()[1:]}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert "frame-ancestors 'none'" in policy


def test_web_pages_that_take_their_time_hold_up_nobody_else(
    browser: Browser, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    shall_answer = threading.Event()

    class Slow:
        def get(self, _target: str, _path: str) -> WebReply:
            shall_answer.wait()
            raise OSError("gone")

    monkeypatch.setattr(TimelineEngine, "web_ui", lambda _engine, _job_id: Slow())
    job_id = api.submit("running:0s,success")
    with ThreadPoolExecutor(40) as readers:  # more than a loop's own threads
        filters = [readers.submit(browser.ask, "GET", f"/jobs/{job_id}/spark/") for _ in range(40)]
        try:
            api.wait(job_id, "success")
            assert api.lines(job_id) == []
        finally:
            shall_answer.set()
        assert {reply.result().status_code for reply in filters} == {502}


@pytest.mark.usefixtures("web_pages")
def test_web_pages_that_do_not_answer_are_a_bad_gateway(browser: Browser, api: Api) -> None:
    reply = browser.ask("GET", f"/jobs/{api.submit()}/spark/gone")
    assert reply.status_code == 502
    assert "The Spark UI does not answer. The job may have ended." in text_of(reply.text)


def test_a_job_without_web_pages_has_no_link_to_them(browser: Browser, api: Api) -> None:
    job_id = api.submit(ENDLESS)
    assert "Spark UI" not in browser.text(f"/jobs/{job_id}")
    assert browser.ask("GET", f"/jobs/{job_id}/spark/").status_code == 404
    assert browser.ask("GET", f"/jobs/{job_id}/attempts/1/spark/").status_code == 404
    assert browser.ask("GET", f"{UNKNOWN}/spark/").status_code == 404
    assert browser.ask("GET", f"{UNKNOWN}/attempts/1/spark/").status_code == 404


def test_a_job_that_is_cancelled_while_it_waits_shows_how_long_it_did(own: Browser, clock: Clock) -> None:
    api = Api(own.dli.credentials)
    api.submit(ENDLESS, queue="batch", sc_type="B")
    job_id = api.submit(ENDLESS, queue="batch")
    clock.seconds += 4
    api.cancel(job_id)
    text = eventually(lambda: own.text(f"/jobs/{job_id}"), lambda text: "none cancelled" in text)
    assert "none waiting 4.0 s" in text
    assert "The job was cancelled before it was started." in text


def test_the_reason_of_a_failure_is_on_top(browser: Browser, api: Api) -> None:
    log = ["reading", "Traceback (most recent call last):", '  File "load.py", line 3', "ValueError: no <column>"]
    conf = {"spark.dli.local.log": "\n".join([*log, "26/01/31 10:00:00 INFO SparkContext: stopped"])}
    job_id = api.submit("running:0s,dead", conf)
    api.wait(job_id, "dead")
    text = browser.text(f"/jobs/{job_id}")
    assert f"failed Why it failed ValueError: no <column> {' '.join(' '.join(log).split())} Queue" in text
    assert text.count("Why it failed") == 1
    assert "State in the API dead" in text
    assert "failed" in browser.text()


def test_the_last_attempt_tells_why_a_job_failed(browser: Browser, api: Api) -> None:
    conf = {"spark.dli.local.log": "ValueError: no column"}
    job_id = api.submit("running:0s,dead", conf, auto_recovery=True, maxRetryTimes=1, minRecoveryDelayTime=0)
    api.wait(job_id, "dead")
    assert "ValueError: no column From the log of attempt 2, the last one." in browser.text(f"/jobs/{job_id}")


def test_a_log_without_a_reason_is_said_to_have_none(browser: Browser, api: Api) -> None:
    job_id = api.submit("running:0s,dead", {"spark.dli.local.log": "row 1"})
    api.wait(job_id, "dead")
    told = "The log does not tell why the job failed. These are its last lines. row 1 Queue"
    assert told in browser.text(f"/jobs/{job_id}")


def test_a_cancelled_job_is_told_from_one_that_failed(browser: Browser, api: Api) -> None:
    job_id = api.submit(ENDLESS, {"spark.dli.local.log": "ValueError: caught"}, name="stopped")
    api.wait(job_id, "running")
    api.cancel(job_id)
    api.wait(job_id, "dead")
    page = browser.page(f"/jobs/{job_id}")
    assert '<span class="badge grey cancelled">cancelled</span>' in page
    assert "stopped cancelled The job was cancelled. Queue" in text_of(page)
    assert "Why it failed" not in page
    assert re.search(r"stopped cancelled default", browser.text("/?job_name=stopped"))


def test_a_name_is_shown_without_fingerprints_and_the_whole_one_is_a_detail(browser: Browser, api: Api) -> None:
    name = str(SubmissionName.new("load-2024", "0a1b2c3d", "4e5f6071"))
    job_id = api.submit(name=name)
    assert f'id="job-{job_id}" href="{browser.home}/jobs/{job_id}"><bdi>load-2024</bdi>' in browser.page("/")
    text = browser.text(f"/jobs/{job_id}")
    assert text.startswith("Jobs load-2024 ")
    assert f"Submitted name {name} " in text


def test_a_job_that_waits_says_how_it_stands(own: Browser) -> None:
    api = Api(own.dli.credentials)
    ids = [api.submit(ENDLESS, queue="batch", sc_type="B") for _ in range(4)]
    api.wait(ids[0], "running")
    assert "Third in queue batch, waits for 16 CUs. Queue" in own.text(f"/jobs/{ids[3]}")
    assert "first in queue batch" in own.text()


def test_a_cancel_is_asked_once_and_the_question_changes_nothing(browser: Browser, api: Api) -> None:
    job_id = api.submit(ENDLESS, name="asked")
    api.wait(job_id, "running")
    question = link_named(browser.page(f"/jobs/{job_id}"), "Cancel job")
    text = browser.text(question)
    assert text.startswith("Cancel asked ? running in queue default, running for ")
    assert api.state(job_id) == "running"
    assert link_named(browser.page(question), "Keep it") == f"{browser.home}/jobs/{job_id}"
    browser.press(question)
    api.wait(job_id, "dead")
    reply = browser.ask("GET", question)
    assert (reply.status_code, reply.headers["Location"]) == (303, f"{browser.home}/jobs/{job_id}")


def found(page: str) -> list[str]:
    """Give the lines that a search has found, each with its number."""
    return [
        html.unescape(re.sub("<[^>]*>", " ", line)).strip() for line in re.findall(r"<div id=\"line-(.*?)</div>", page)
    ]


def test_a_log_is_searched_for_a_text_and_for_errors(browser: Browser, api: Api) -> None:
    log = ["Reading <b>", "ERROR no Rows", "WARN no rows", "ValueError: nothing", "reading"]
    job_id = api.submit("running:0s,success", {"spark.dli.local.log": "\n".join(log)})
    api.wait(job_id, "success")
    page = browser.page(f"/jobs/{job_id}?find=rows")
    assert "2 lines match." in text_of(page)
    assert re.findall(r"<mark>(.*?)</mark>", page) == ["Rows", "rows"]
    assert [line.split()[-1] for line in found(page)] == ["Rows", "rows"]
    assert f'href="{browser.home}/jobs/{job_id}?log=1&amp;from=0#line-2"' in page
    assert "data-follows" not in page
    page = browser.page(f"/jobs/{job_id}?errors=only")
    assert "2 lines match." in text_of(page)
    assert re.findall(r'id="line-(\d+)"', page) == ["2", "4"]
    assert "1 line matches." in browser.text(f"/jobs/{job_id}?errors=only&find=nothing")
    assert "No line matches." in browser.text(f"/jobs/{job_id}?find=%3Cscript%3E")
    assert "&lt;b&gt;" in browser.page(f"/jobs/{job_id}?find=%3CB")
    assert (
        link_named(browser.page(f"/jobs/{job_id}?find=x&log=1"), "Whole log") == f"{browser.home}/jobs/{job_id}?log=1"
    )


def test_what_a_search_finds_is_shown_from_its_end_and_page_by_page(browser: Browser, api: Api) -> None:
    job_id = api.submit("running:0s,success", {"spark.dli.local.log": "\n".join(["odd", "even"] * 600)})
    api.wait(job_id, "success")
    page = browser.page(f"/jobs/{job_id}?find=EVEN")
    assert "600 lines match. These are the lines 101 to 600 of them." in text_of(page)
    assert re.findall(r'id="line-(\d+)"', page) == [str(number) for number in range(202, 1201, 2)]
    page = browser.page(link_named(page, "Earlier lines"))
    assert re.findall(r'id="line-(\d+)"', page)[0] == "2"
    assert "Later lines" in page


def test_a_whole_log_is_downloaded_as_it_is(browser: Browser, api: Api) -> None:
    log = "\n".join(["ö" * 100_000] * 5)
    job_id = api.submit("running:0s,success", {"spark.dli.local.log": log}, name='a"/ö')
    api.wait(job_id, "success")
    reply = browser.ask("GET", link_named(browser.page(f"/jobs/{job_id}"), "Download"))
    assert reply.content.decode() == f"{log}\n"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Content-Disposition"] == "attachment; filename*=utf-8''a%22%2F%C3%B6-1.log"
    assert reply.headers["Content-Length"] == str(len(reply.content))
    head = browser.ask("HEAD", f"/jobs/{job_id}/logs/1")
    assert (head.status_code, head.content) == (200, b"")
