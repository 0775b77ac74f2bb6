"""The page as people see it: in a headless Chromium, by mouse, keyboard and screen reader, on a desk and on a phone."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.server import LocalDli
from scripts import chromium
from tests.local.api import ENDLESS, TIMEOUT, Api, eventually
from tests.local.serving import free_port
from tests.local.test_page_access import PATHS_THAT_ALL_KNOW, other_server, stolen
from tests.local.test_spark_ui import AT_WORK

QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}
LONG_NAME = "a_name_as_long_as_they_come_" * 4

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium.find()
    if program is None:
        pytest.skip(f"no Chromium on PATH: {chromium.HOW}")
    expect.set_options(timeout=TIMEOUT * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, dli: LocalDli) -> Iterator[Open]:
    """Open a window, signed in unless a link is to do that.

    Afterwards: none that was signed in has complained, or asked anybody else for anything.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_at(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(TIMEOUT * 1000)
        contexts.append(context)
        page = context.new_page()
        if not path.startswith("/sign-in"):
            watch(page, dli.endpoint, complaints)
            page.goto(dli.sign_in_link())
            page.wait_for_url(f"{dli.endpoint}/page/*/")
        if path != "/":
            page.goto((dli.endpoint if path.startswith("/sign-in") else home(page)) + path)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []


def home(page: Page) -> str:
    """Give the address with which all others of the session begin."""
    return "/".join(page.url.split("/")[:5])


def watch(page: Page, endpoint: str, complaints: list[str]) -> None:
    """Note what a page complains of, and what it asks of anybody else."""
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(endpoint) else complaints.append(request.url))


def focused(page: Page) -> str:
    focused_id: str = page.evaluate("document.activeElement.id")
    return focused_id


def test_the_link_leads_to_the_table_and_its_code_to_nowhere(open_page: Open, api: Api) -> None:
    job_id = api.submit(ENDLESS, name="seen")
    page = open_page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    row = page.locator(f"#row-{job_id}")
    expect(row.get_by_role("rowheader")).to_have_text("seen")
    expect(row).to_contain_text("running")
    page.reload()
    assert "code" not in page.url
    page.go_back()
    assert "code" not in page.url


def test_a_link_in_a_page_of_another_site_signs_in_too(browser: Browser, dli: LocalDli) -> None:
    page = browser.new_page()
    page.goto(f"data:text/html,<a href='{dli.sign_in_link()}'>the link</a>")
    page.get_by_text("the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    page.close()


def test_the_address_of_a_job_on_a_screen_leads_to_the_page_of_the_session(
    browser: Browser, dli: LocalDli, api: Api
) -> None:
    job_id = api.submit(ENDLESS, name="printed")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{dli.endpoint}/jobs/{job_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(link := dli.sign_in_link())
    page.wait_for_url(f"{dli.endpoint}/page/*/")
    signed_in = home(page)
    wanted = {
        f"/jobs/{job_id}?find=x#log-title": f"/jobs/{job_id}?find=x#log-title",
        "/": "/",
        link.removeprefix(dli.endpoint): "/",
        f"/page/of-another-session/jobs/{job_id}": f"/jobs/{job_id}",
    }
    for printed, shown in wanted.items():
        another = context.new_page()
        another.goto(dli.endpoint + printed)
        another.wait_for_url(signed_in + shown)
    another.goto(f"data:text/html,<a href='{dli.endpoint}/jobs/{job_id}'>a log of another site</a>")
    another.get_by_text("a log of another site").click()
    expect(another.get_by_role("heading", level=1)).to_have_text("printed")
    another.get_by_role("button", name="Sign out").click()
    expect(another.get_by_role("heading", level=1)).to_have_text("Signed out")
    page.goto(f"{dli.endpoint}/jobs/{job_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.wait_for_function("localStorage.length === 0")
    context.close()


@pytest.mark.parametrize("left", ["//evil.example", "/page/", "/page/../..//evil.example", "javascript:alert(1)//"])
def test_what_another_program_left_at_this_port_leads_nowhere(browser: Browser, dli: LocalDli, left: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{dli.endpoint}/sign-in")
    page.evaluate("left => localStorage.setItem('local DLI: path of the session', left)", left)
    asked.clear()
    page.goto(f"{dli.endpoint}/jobs/x")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert {url.removeprefix(dli.endpoint) for url in asked} <= {
        *("/jobs/x", "/static/page.css", "/static/session.js", "/static/icon.svg")
    }
    context.close()


def test_a_server_at_another_port_gets_no_cookie_and_no_path_from_the_browser(
    browser: Browser, dli: LocalDli, api: Api
) -> None:
    job_id = api.submit(ENDLESS, name="unseen")
    context = browser.new_context()
    page = context.new_page()
    page.goto(dli.sign_in_link())
    page.wait_for_url(f"{dli.endpoint}/page/*/")
    page.goto(f"{home(page)}/jobs/{job_id}")
    with other_server(OTHER_PAGE.format(here=dli.endpoint, job_id=job_id).encode()) as other:
        for path in (*PATHS_THAT_ALL_KNOW, f"/jobs/{job_id}"):
            page.evaluate("url => { location.href = url }", other.url + path)  # as a link of the page would
            page.wait_for_url(other.url + path)
            expect(page.locator("#done")).to_have_text("refused, refused, refused")
            page.go_back()
            expect(page.get_by_role("heading", level=1)).to_have_text("unseen")
        assert len(other.seen) >= len(PATHS_THAT_ALL_KNOW)
        assert stolen(other) == []
        assert not [headers for headers in other.seen if home(page).split("/")[-1] in str(headers)]
        expect(page.locator("#actions .badge")).to_have_text("running")
        # The same browser gives the cookie to a server that knows the path: it is the path that protects it.
        page.goto(other.url + home(page).removeprefix(dli.endpoint))
        assert len(stolen(other)) == 1
    context.close()
    api.cancel(job_id)


OTHER_PAGE = """<!doctype html><p id=done></p><script>
const urls = ["{here}/", "{here}/jobs/{job_id}", "{here}/jobs/{job_id}/cancel"];
const options = {{ credentials: "include", headers: {{ Accept: "text/html" }} }};
Promise.all(urls.map((url) => fetch(url, options).then(() => "read", () => "refused"))).then((all) => {{
  document.getElementById("done").textContent = all.join(", ");
}});
</script>"""


def test_the_table_follows_what_happens_and_focus_stays(open_page: Open, api: Api) -> None:
    first = api.submit(ENDLESS)
    page = open_page()
    page.locator(f"#job-{first}").focus()
    second = api.submit(ENDLESS, name="another")
    expect(page.locator(f"#row-{second}")).to_contain_text("another")
    assert focused(page) == f"job-{first}"
    api.cancel(first)
    expect(page.locator(f"#row-{first} .badge")).to_have_text("cancelled")
    assert focused(page) == f"job-{first}"


def test_it_stands_still_when_live_updates_are_off(open_page: Open, api: Api) -> None:
    job_id = api.submit(ENDLESS)
    page = open_page(f"/jobs/{job_id}")
    page.clock.install()
    page.reload()
    expect(page.locator("#actions .badge")).to_have_text("running")
    held: list[Route] = []
    page.route(page.url, lambda route: held.append(route), times=1)  # noqa: PLW0108  playwright marks its handler
    # Time goes on by itself too, so the request may come as soon as it can be held.
    eventually(lambda: page.clock.run_for(2000), lambda _: bool(held))
    page.get_by_label("Live updates").uncheck()
    api.cancel(job_id)
    api.wait(job_id, "dead")
    with page.expect_response(page.url):
        held[0].continue_()
    page.clock.run_for(60_000)
    expect(page.locator("#actions .badge")).to_have_text("running")
    page.get_by_label("Live updates").check()
    page.clock.run_for(2000)
    expect(page.locator("#actions .badge")).to_have_text("cancelled")


def test_a_log_is_followed_while_the_job_runs_line_by_line(open_page: Open, api: Api, dli: LocalDli) -> None:
    logs = JobLogs(dli.data / "jobs" / (job_id := api.submit(ENDLESS)))
    api.wait(job_id, "running")
    logs.write(0, *(f"line {number}" for number in range(1, 101)))
    page = open_page(f"/jobs/{job_id}")
    log = page.get_by_role("log", name="Log of attempt 1")
    expect(log.locator("div")).to_have_count(100)
    page.evaluate("window.first = document.getElementById('line-1')")
    with os.fdopen(logs.open_driver(0), "w") as file:
        file.writelines(f"line {number}\n" for number in range(101, 901))
        file.write("line")
        file.flush()
        expect(log.locator("div").last).to_have_text("line")
        file.write(" 901\n")
    expect(log.locator("div").last).to_have_text("line 901")
    assert page.evaluate("window.first.isConnected")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 1
    log.evaluate("log => { log.scrollTop = 0 }")
    logs.write(0, "the end")
    expect(log.locator("div").last).to_have_text("the end")
    assert log.evaluate("log => log.scrollTop") == 0
    api.cancel(job_id)
    expect(page.locator("#actions")).to_have_text("cancelled")
    expect(log.locator("div").last).to_have_text("The job was cancelled.")
    expect(page.get_by_label("Live updates")).to_be_hidden()


def test_an_attempt_that_begins_brings_its_log_and_says_so(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        first, second = api.submit(ENDLESS), api.submit(ENDLESS, {"spark.dli.local.log": "it begins"})
        page.goto(dli.sign_in_link())
        page.wait_for_url(f"{dli.endpoint}/page/*/")
        page.goto(f"{home(page)}/jobs/{second}")
        expect(page.get_by_role("log", name="Log of the submission")).to_be_visible()
        expect(page.locator("#timeline")).to_contain_text("waiting for one of 1 slots")
        expect(page.get_by_role("link", name="Download")).to_have_count(0)
        page.get_by_label("Text in the log").fill("typed")
        api.cancel(first)
        expect(page.get_by_role("log", name="Log of attempt 1")).to_have_text("it begins")
        expect(page.get_by_role("status")).to_have_text("Now showing: Log of attempt 1.")
        expect(page.get_by_role("link", name="Attempt 1")).to_have_attribute("aria-current", "page")
        path = f"{home(page)}/jobs/{second}/logs/1".removeprefix(dli.endpoint)
        expect(page.get_by_role("link", name="Download")).to_have_attribute("href", path)
        expect(page.get_by_label("Text in the log")).to_have_value("typed")
        page.get_by_role("link", name="Submission").click()
        expect(page.get_by_role("log", name="Log of the submission")).to_be_visible()
    page.close()


def test_a_job_is_found_and_cancelled_with_the_keyboard_alone(open_page: Open, api: Api) -> None:
    job_id = api.submit(ENDLESS, name="to be cancelled")
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to(page, f"job-{job_id}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("to be cancelled")
    tab_to(page, "cancel")
    expect(page.locator("#cancel")).to_have_css("outline-style", "solid")  # the style sheet may come after the text
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel to be cancelled?")
    tab_to(page, "cancel")
    page.keyboard.press("Enter")
    expect(page.locator("#actions")).to_have_text("cancelled")
    assert api.state(job_id) == "dead"


def tab_to(page: Page, element_id: str) -> None:
    for _ in range(100):
        page.keyboard.press("Tab")
        if focused(page) == element_id:
            return
    raise AssertionError(f"{element_id} is not reached")


def test_it_works_without_scripts(open_page: Open, api: Api) -> None:
    job_id = api.submit(ENDLESS, {"spark.dli.local.log": "one\nhello again\nthree\nValueError: no"}, name="plain")
    api.wait(job_id, "running")
    page = open_page(java_script_enabled=False)
    page.locator(f"#job-{job_id}").click()
    expect(page.get_by_label("Live updates")).to_be_hidden()
    page.get_by_label("Text in the log").fill("HELLO")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("log").locator("mark")).to_have_text("hello")
    page.get_by_role("link", name="Line 2 among its neighbours").click()
    expect(page.locator("#line-2")).to_have_text("hello again")
    page.get_by_label("Errors only").check()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("log").locator("div")).to_have_text(["4ValueError: no"])
    page.get_by_role("link", name="Whole log").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_text() == "one\nhello again\nthree\nValueError: no\n"
    assert download.value.suggested_filename == "plain-1.log"
    page.get_by_role("link", name="Cancel job").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Cancel job").click()
    page.get_by_role("button", name="Cancel job").click()
    api.wait(job_id, "dead")
    page.reload()
    expect(page.locator("#actions")).to_have_text("cancelled")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")


@pytest.fixture(scope="module")
def sights(dli: LocalDli, api: Api) -> dict[str, str]:
    """The pages that there are, by what is on them."""
    trace = {
        "spark.dli.local.log": f"Traceback (most recent call last):\n  File x\nValueError: {'word ' * 30 + 'x' * 400}"
    }
    long = {"spark.dli.local.log": "word " * 100 + "x" * 1000}
    running = api.submit(ENDLESS, long, name=LONG_NAME, args=["y" * 1000])
    retried = api.submit(
        "running:0s,dead", trace, name="retried", auto_recovery=True, maxRetryTimes=2, minRecoveryDelayTime=60
    )
    api.wait(running, "running")
    api.wait(retried, "dead")
    api.cancel(cancelled := api.submit(ENDLESS, name="cancelled"))
    api.wait(cancelled, "dead")
    return {
        "the table": "/",
        "no job": "/?job_name=nothing",
        "a job that runs": f"/jobs/{running}",
        "a job that failed": f"/jobs/{retried}",
        "a job that was cancelled": f"/jobs/{cancelled}",
        "a search": f"/jobs/{running}?find=word",
        "a question": f"/jobs/{running}/cancel",
        "no session": "/sign-in?code=wrong",
    }


SIGHTS = (
    *("the table", "no job", "a job that runs", "a job that failed", "a job that was cancelled"),
    *("a search", "a question", "no session"),
)


@pytest.mark.parametrize("sight", SIGHTS)
def test_a_phone_shows_it_without_scrolling_sideways(open_page: Open, sights: dict[str, str], sight: str) -> None:
    page = open_page(sights[sight], **PHONE)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]  # type: ignore[index]


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_axe_finds_nothing_that_keeps_anybody_out(
    open_page: Open, sights: dict[str, str], sight: str, options: dict[str, Any]
) -> None:
    page = open_page(sights[sight], **options)
    found = Axe().run(page)
    assert found.response["passes"]
    assert found.response["violations"] == [], json.dumps(found.response["violations"], indent=1)


def test_headings_and_tables_say_what_they_are(open_page: Open, sights: dict[str, str]) -> None:
    page = open_page(sights["a job that failed"])
    outline = page.locator("h1, h2").evaluate_all("all => all.map(one => one.tagName + ' ' + one.textContent.trim())")
    assert outline == ["H1 retried", "H2 Why it failed", "H2 Timeline", "H2 Log", "H2 Request"]
    for path in ("/", sights["a job that failed"]):
        page.goto(home(page) + path)
        for table in page.get_by_role("table").all():
            assert table.locator("caption").text_content()
            assert table.locator("thead th:not([scope=col]), tbody th:not([scope=row])").count() == 0


def test_a_table_stays_a_table_for_screen_readers_on_a_phone(open_page: Open, sights: dict[str, str]) -> None:
    page = open_page(sights["the table"], **PHONE)
    table = page.get_by_role("table").first
    expect(table.get_by_role("columnheader")).to_have_count(5)
    assert table.get_by_role("row").nth(1).get_by_role("cell").count() == 4


@pytest.mark.slow
def test_the_spark_ui_of_a_job_works_behind_the_page(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    page = browser.new_page()
    complaints: list[str] = []
    with LocalDli(tmp_path, master="local[2]") as dli:
        watch(page, dli.endpoint, complaints)
        (dli.bucket("demo") / "at work.py").write_text(AT_WORK)
        api = Api(dli.credentials)
        job_id = api.create(file="obs://demo/at work.py", args=["true"], name="summer")["id"]
        page.goto(dli.sign_in_link())
        page.wait_for_url(f"{dli.endpoint}/page/*/")
        page.goto(f"{home(page)}/jobs/{job_id}")
        expect(page.get_by_role("log")).to_contain_text("asleep from now on")
        page.get_by_role("link", name="Spark UI").click()
        expect(page.locator("h3").first).to_contain_text("Spark Jobs")
        page.get_by_text("Event Timeline").first.click()
        expect(page.locator("#application-timeline .vis-item").first).to_be_visible()
        for tab, shows in UI_TABS.items():
            page.get_by_role("link", name=tab, exact=True).first.click()
            expect(page.locator(shows).first).to_be_visible()
        page.goto(f"{home(page)}/jobs/{job_id}/spark/stages/stage/?id=0&attempt=0")
        page.get_by_text("DAG Visualization").first.click()
        expect(page.locator("#dag-viz-graph svg .node").first).to_be_visible()
        expect(page.locator("#summary-metrics-table tbody tr").first).to_be_visible()
    page.close()
    assert complaints == []


UI_TABS = {
    "Stages": "text=/Completed Stages/",
    "Environment": "text=Runtime Information",
    "Executors": "#active-executors-table tbody tr",
    "SQL / DataFrame": "text=/Completed Queries/",
}
"""The tabs of Spark's UI, and what is to be seen there: the executors come by a script."""


def test_a_server_that_goes_and_comes_back_is_noticed(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    port = free_port()
    with LocalDli(tmp_path, engine="timeline", port=port) as dli:
        page.goto(dli.sign_in_link())
        expect(page.get_by_label("Live updates")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The local DLI does not answer.")
    with LocalDli(tmp_path, engine="timeline", port=port):
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.close()
