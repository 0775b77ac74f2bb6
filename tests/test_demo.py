"""`make demo`: a real `pulumi up` of the example, and a real Spark that counts words."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.processes import run_supervised
from tests.project import clean_environment

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_demo_shows_a_real_job_from_its_submission_to_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "demo.py", tmp_path / "demo"]
    code, screen = run_supervised(command, env=clean_environment({}))
    assert code == 0, screen
    steps = [
        "local DLI ready at http://127.0.0.1:",
        "BatchJob wordcount created",
        "wordcount: starting on queue default",
        "wordcount: running on queue default",
        "wordcount: success, took",
        'state  : "success"',
        "3 unchanged",
        "3 deleted",
    ]
    places = [screen.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)

    text = (tmp_path / "demo" / "dli" / "obs" / "demo" / "in" / "text.txt").read_text()
    counts = Counter(re.findall("[a-z]+", text.lower()))
    shown = re.findall(r"^ +(\d+)  ([a-z]+)$", screen, re.MULTILINE)
    assert [(word, int(count)) for count, word in shown] == counts.most_common(len(shown))
    assert len(shown) == 10
