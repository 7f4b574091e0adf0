"""As a learner meets it: a real browser opens JupyterLab, runs notebooks, and moves widgets; and it
opens a built page from the disk, and moves what was drawn beforehand."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from conftest import LESSON

from fercourse.course import build, site
from fercourse.course.build import NOTEBOOKS
from fercourse.course.run_course import notebooks
from fercourse.course.slides import SMALLEST, write_slides

PATIENCE = 300
"""Seconds in which at least one more cell must end, on a machine that runs other tests too."""

INDICATOR = ".jp-Notebook-ExecutionIndicator"

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def browser():
    """Chromium: the system's, or the one that ``playwright install chromium`` brings."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=QUIET)
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no browser: make browser ({error.message[:60]})")
        yield found
        found.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the notebooks; gives the address of a notebook by its name."""
    root = tmp_path_factory.mktemp("lab")
    (root / "notebooks").mkdir()
    for path in NOTEBOOKS.glob("*.ipynb"):
        _write_unrun(path, root / "notebooks" / path.name)
    settings = root / "settings" / "@jupyterlab"
    for plugin, text in {
        "notebook-extension/tracker": '{"windowingMode": "none"}',  # every cell is in the page
        "apputils-extension/notification": '{"fetchNews": "false"}',
    }.items():
        (settings / plugin).parent.mkdir(parents=True, exist_ok=True)
        (settings / f"{plugin}.jupyterlab-settings").write_text(text)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={root}",
        "--IdentityProvider.token=course",
        f"--LabApp.user_settings_dir={root / 'settings'}",
        f"--LabApp.workspaces_dir={root / 'ws'}",
    ]
    environment = {**os.environ, "FERCOURSE_MODE": "smoke", "OMP_NUM_THREADS": "1"}
    environment.pop("FERCOURSE_STATIC", None)
    with (root / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token=course", server, root / "log")
        # Each notebook in a workspace of its own, or the last one's tabs would come back with it.
        home = f"http://127.0.0.1:{port}/lab/workspaces"
        yield lambda name: f"{home}/{name}/tree/notebooks/{name}.ipynb?token=course"
    finally:
        goodbye = f"http://127.0.0.1:{port}/api/shutdown?token=course"
        urllib.request.urlopen(urllib.request.Request(goodbye, method="POST"), timeout=30).close()
        try:
            server.wait(60)
        finally:
            server.kill()


@contextmanager
def shown(browser, lab, name):
    """A notebook in a page of its own, of which nothing has run."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    try:
        page.goto(lab(name))
        kernel = page.locator(".jp-KernelName", has_text="Python 3 (fercourse)")
        idle = page.locator(f"{INDICATOR}[data-status=idle]")
        for part in (page.locator(".jp-Notebook .jp-CodeCell"), kernel, idle):
            part.first.wait_for(timeout=PATIENCE * 1000)
        yield page
    finally:
        page.close()


@contextmanager
def opened(browser, lab, name):
    """A notebook in a page of its own, run through from top to bottom by the menu."""
    with shown(browser, lab, name) as page:
        _choose(page, "Run", "Run All Cells")
        if stalled := _ran_through(page):
            # A kernel may stand still by itself (ipykernel#1471): do as a learner would.
            warnings.warn(f"{name}: {stalled}; restarted", stacklevel=2)
            _choose(page, "Kernel", "Restart Kernel and Run All Cells…")
            page.get_by_role("button", name="Confirm Kernel Restart").click()
            stalled = _ran_through(page)
            assert not stalled, stalled
        yield page


def stem(number: int) -> str:
    return next(NOTEBOOKS.glob(f"{number:02}_*.ipynb")).stem


def test_the_first_notebook_runs_in_the_browser(browser, lab):
    with opened(browser, lab, stem(0)) as page:
        assert page.locator(".jp-OutputArea-output img").count() > 0


OWN = """def resize_like(x, partner):
    print("the learner's own")
    return F.interpolate(x, {size}, mode="bilinear")
"""


def test_a_lesson_runs_on_what_its_learner_wrote_once_it_is_right(browser, lab):
    with shown(browser, lab, stem(8)) as page:
        code = page.locator(".jp-Notebook .jp-CodeCell")
        texts = code.locator(".jp-InputArea").all_inner_texts()
        place = next(k for k, text in enumerate(texts) if "def resize_like" in text)
        stub, check, later = (code.nth(place + k) for k in range(3))
        stub.locator(".jp-InputPrompt").click()
        _choose(page, "Run", "Run All Above Selected Cell")
        for size, verdict, said, used in (
            ("scale_factor=2", "✗", "the lesson goes on with ours", False),
            ("size=partner.shape[2:]", "✓", "the lesson runs on yours", True),
        ):
            stub.locator(".cm-content").click()
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.insert_text(OWN.format(size=size))
            for cell in (stub, check, later):
                cell.locator(".jp-InputPrompt").click()
                page.keyboard.press("Control+Enter")
            told = check.locator(".jp-OutputArea-output", has_text=said)
            told.wait_for(timeout=PATIENCE * 1000)
            assert verdict in told.inner_text()
            shape = later.locator(".jp-OutputArea-output", has_text="to meet")
            shape.filter(**{"has_text" if used else "has_not_text": "learner's own"}).wait_for()


def test_a_face_is_painted_by_buttons_and_sliders(browser, lab):
    with opened(browser, lab, stem(1)) as page:
        explorer = explorer_with(page, "Press an expression")
        picture = changing(page, explorer)
        explorer.get_by_role("button", name="Surprise").click()
        picture.must_change()
        handle = explorer.locator(".noUi-handle").first
        handle.focus()
        handle.press("ArrowRight")
        picture.must_change()


def test_pooling_is_drawn_again_and_bad_input_is_said(browser, lab):
    with opened(browser, lab, stem(7)) as page:
        explorer = explorer_with(page, "Type activations")
        picture = changing(page, explorer)
        explorer.get_by_role("button", name="Draw again").click()
        picture.must_change()
        explorer.get_by_role("button", name="one peak").click()
        picture.must_change()
        cell = explorer.locator("input[type=number]").first
        cell.fill("-3")
        cell.press("Enter")
        explorer.get_by_text("a ReLU comes before the pooling").wait_for(timeout=30_000)
        weights = explorer_with(page, "")
        assert weights.locator("img").count() == 1


MOVING = """
# %% [markdown]
# `a_call(of, a, function, with, very, many, arguments).and_of(its, result)`
#
# $$a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t + u = v$$

# %%
from fercourse import widgets

widgets.island()

# %%
widgets.stochastic_pooling()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The address of a page with two explorers, as it lies on a disk."""
    root = tmp_path_factory.mktemp("pages")
    source = root / "notebooks" / "source" / "00_start.py"
    source.parent.mkdir(parents=True)
    source.write_text(LESSON.format(title="Start", code="1") + MOVING, "utf-8")
    build.build(source, FERCOURSE_PAGES="1")
    site.write_site(root / "site", [root / "notebooks" / "00_start.ipynb"], "smoke", False)
    return (root / "site" / "notebooks" / "00_start.html").as_uri()


@pytest.fixture
def page_of_two(built, browser):
    """That page, opened; it may ask for nothing that is elsewhere."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(built)
    yield page
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_a_built_page_is_moved_by_the_keyboard(page_of_two):
    first, second = page_of_two.locator(".states").all()
    image, told = first.locator("img"), first.locator("[aria-live]")
    source, words = image.get_attribute("src"), image.get_attribute("alt")
    assert words.startswith("Step 60:")
    assert told.inner_text() == "", "nothing is told before something moves"
    slider = first.get_by_label("step")
    slider.focus()
    slider.press("ArrowRight")
    assert image.get_attribute("src") != source
    assert image.get_attribute("alt").startswith("Step 120:")
    assert "step 120" in told.inner_text()
    assert slider.get_attribute("aria-valuetext") == "120"
    slider.press("ArrowLeft")
    assert (image.get_attribute("src"), image.get_attribute("alt")) == (source, words)

    other = second.locator("img").get_attribute("src")
    second.get_by_label("activations").select_option("one peak")
    assert second.locator("img").get_attribute("src") != other
    second.get_by_label("softmax").press("Space")
    assert "compare with softmax" in second.locator("[aria-live]").inner_text()
    assert image.get_attribute("src") == source, "two explorers of a page do not move each other"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_built_page_fits_a_phone_and_a_dark_theme(page_of_two, theme):
    page_of_two.set_viewport_size({"width": 375, "height": 800})
    page_of_two.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    assert page_of_two.evaluate("document.documentElement.scrollWidth") == 375
    formula = page_of_two.locator("div.math")
    assert formula.evaluate("(it) => it.scrollWidth > it.clientWidth"), "it can be scrolled"
    assert formula.locator("mi").first.bounding_box()["x"] >= 0, "from its left end"
    for explorer in page_of_two.locator(".states").all():
        for part in (explorer, *explorer.locator("img, input, select").all()):
            box = part.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 375
        ink, paper = (
            explorer.evaluate(f"(box) => getComputedStyle(box).{kind}")
            for kind in ("color", "backgroundColor")
        )
        assert (ink, paper) == ("rgb(34, 34, 34)", "rgb(255, 255, 255)"), "as the pictures are"
        assert explorer.locator("img").evaluate("(it) => getComputedStyle(it).filter") == "none"


LOOK_AT_A_SLIDE = """() => {
    const slide = Reveal.getCurrentSlide(), frame = slide.getBoundingClientRect();
    let [right, bottom, smallest] = [0, 0, Infinity];
    for (const part of slide.querySelectorAll(':not(aside, aside *)')) {
        const box = part.getBoundingClientRect();
        if (!part.closest('math')) right = Math.max(right, box.right - frame.left);
        bottom = Math.max(bottom, box.bottom - frame.top);
        const says = [...part.childNodes].some(n => n.nodeType == 3 && n.data.trim());
        if (says && !part.closest('math'))
            smallest = Math.min(smallest, parseFloat(getComputedStyle(part).fontSize));
    }
    const scale = Reveal.getScale();
    return [right / scale, bottom / scale, smallest];
}"""
"""How far its content reaches and how small its type is, in a slide's own pixels, 1280 by 720."""


def test_every_slide_of_every_lesson_holds_what_is_on_it_and_fetches_nothing(browser, tmp_path):
    write_slides(tmp_path, notebooks())
    page, asked, wrong = browser.new_page(viewport={"width": 1280, "height": 720}), [], []
    page.on("request", lambda request: asked.append(request.url))
    for deck in sorted(tmp_path.glob("[0-9]*.html")):
        page.goto(deck.as_uri())
        page.wait_for_function("Reveal.isReady()")
        for number in range(1, page.evaluate("Reveal.getTotalSlides()") + 1):
            right, bottom, smallest = page.evaluate(LOOK_AT_A_SLIDE)
            if right > 1281 or bottom > 721 or smallest < SMALLEST:
                wrong.append(f"{deck.stem}, slide {number}: {right}, {bottom}, {smallest}")
            page.evaluate("Reveal.next()")
    page.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def explorer_with(page, note: str):
    """The explorer whose first line says ``note``, live in the page."""
    boxes = page.locator(".jp-OutputArea-output .widget-vbox:has(> .widget-image)")
    found = boxes.filter(has_text=note).first
    found.wait_for(timeout=60_000)
    found.scroll_into_view_if_needed()
    return found


class changing:
    """An explorer's picture, watched."""

    def __init__(self, page, explorer) -> None:
        self.page, self.image = page, explorer.locator("> .widget-image").first
        self.source = self._pixels()

    def must_change(self) -> None:
        for _ in range(300):
            now = self._pixels()
            if now != self.source:
                self.source = now
                return
            self.page.wait_for_timeout(200)
        pytest.fail("the picture did not change within a minute")

    def _pixels(self) -> str:
        """What is seen, not the address of it: two addresses may show the same picture."""
        return self.image.evaluate(
            """image => {
                const canvas = document.createElement('canvas');
                [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
                canvas.getContext('2d').drawImage(image, 0, 0);
                return canvas.toDataURL();
            }"""
        )


def _write_unrun(source: Path, target: Path) -> None:
    """The notebook without outputs and numbers: those it shows afterwards come from this run."""
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, target)


def _choose(page, menu: str, entry: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).click()


def _ran_through(page) -> str:
    """Wait until every code cell has its number and the kernel rests; says where it stood still.

    A cell that fails ends the wait at once, and the test.
    """
    seen, since = None, time.monotonic()
    while True:
        errors = page.locator(".jp-RenderedText[data-mime-type*=error]").all_inner_texts()
        assert errors == []
        prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_inner_texts()
        status = page.locator(INDICATOR).first.get_attribute("data-status")
        if status != "busy" and all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in prompts):
            return ""
        if (prompts, status) != seen:
            seen, since = (prompts, status), time.monotonic()
        if time.monotonic() - since > PATIENCE:
            return f"no cell ended in {PATIENCE} s; the kernel is {status}, cells: {prompts}"
        page.wait_for_timeout(500)


def _wait_for(address: str, server, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
