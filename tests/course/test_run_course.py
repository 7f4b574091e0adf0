"""All notebooks run, measured, and made into pages; a failure stops no other."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from fercourse.course import build
from fercourse.course import run_course as runner
from fercourse.errors import FercourseError

pytestmark = pytest.mark.slow


def test_run_course_measures_goes_on_after_a_failure_and_makes_pages(write, tmp_path, monkeypatch):
    good, bad = write("00_good", "Good", "6 * 7"), write("01_bad", "Bad", "6 * 7")
    for path in (good, bad):
        build.build(path, execute=False)
    broken = path.parents[1] / "01_bad.ipynb"
    broken.write_text(broken.read_text().replace("6 * 7", "undefined"))
    built = sorted((tmp_path / "notebooks").glob("*.ipynb"))
    monkeypatch.setattr(runner, "notebooks", lambda: built)
    out = tmp_path / "site"
    taken = runner.run_course("lecture", out, reference=False)
    assert taken["00_good"].error == ""
    assert "undefined" in taken["01_bad"].error
    assert taken["00_good"].memory_gb > 0.05
    page = (out / "notebooks" / "00_good.html").read_text(encoding="utf-8")
    assert "42" in page
    assert "<math" in page
    assert 'href="01_bad.html"' in page
    index = (out / "index.html").read_text(encoding="utf-8")
    assert 'href="notebooks/01_bad.html"' in index
    assert "stopped" in index
    assert "one thing" in index
    assert 'href="docs/design.html"' in index
    assert (out / "search.html").is_file()
    runner.run_course("smoke", out, [0], reference=False)
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "(lecture)" in index  # the other page is as it was
    with pytest.raises(FercourseError, match="no such notebooks; lessons go from 0 to 1"):
        runner.run_course("smoke", out, [7])
    with pytest.raises(FercourseError, match="no mode 'fast'"):
        runner.run_course("fast", out)

    runner.record("lecture", taken, tmp_path / "minutes.json")
    assert set(json.loads((tmp_path / "minutes.json").read_text())["lecture"]) == {"00"}


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")
def test_a_killed_course_goes_on(write, tmp_path):
    """The same command makes all pages; a killed one leaves no kernel and no half page."""
    for n in (0, 1):
        path = write(f"0{n}_lesson", f"Lesson {n}", "6 * 7")
        build.build(path, execute=False)
    folder, out = path.parents[1], tmp_path / "site"
    code = f"""
        from pathlib import Path
        from fercourse.course import run_course

        run_course.notebooks = lambda: sorted(Path({str(folder)!r}).glob("*.ipynb"))
        run_course.run_course("smoke", Path({str(out)!r}), jobs=1, reference=False)
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    draw = random.Random(0)
    for seconds in (draw.uniform(3, 9), draw.uniform(3, 9), None):
        process = subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            assert process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            kernels = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _, alive = psutil.wait_procs(kernels, timeout=20)
            assert alive == [], "kernels of a killed course go on"
    for n in (0, 1):
        assert "42" in (out / "notebooks" / f"0{n}_lesson.html").read_text(encoding="utf-8")
    hidden = [p.name for p in out.rglob(".*") if p.is_file() and p.name != ".buildinfo"]
    assert hidden == []
