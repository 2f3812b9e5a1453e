"""The trace page and the state graph in a browser: keys, clicks, search, sizes and themes, as a reader would use them.

They need Chromium and its driver (Debian: `chromium`, `chromium-driver`); without them all of this is skipped.
What can be said of a page without a browser is in `test_html.py` and always runs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checker.cli import run

ROOT = Path(__file__).parent.parent.parent
BROWSER = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no Chromium with its driver (Debian: chromium, chromium-driver)"
)

PHONE = (390, 844)
DESK = (1300, 900)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def raft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the naive Raft, both of whose instances are violated."""
    target = tmp_path_factory.mktemp("pages") / "raft.html"
    assert run(["check", "-q", str(ROOT / "specs/naive/raft_same_term.spec"), "--html", str(target)]) == 0
    return target


class Reader:
    """Someone who looks at a page, by its address, at a size of the window, in light or dark."""

    def __init__(self, driver: Any, page: Path, size: tuple[int, int] = DESK, theme: str = "light") -> None:
        self.driver = driver
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get("about:blank")
        driver.get(page.as_uri())

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(f"return {script}")

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def click(self, selector: str) -> None:
        from selenium.webdriver.common.by import By

        found = [e for e in self.driver.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found[0])
        found[0].click()

    def text(self, selector: str) -> str:
        return str(self.ask(f"document.querySelector({json.dumps(selector)}).innerText"))

    def count(self, selector: str) -> int:
        return int(self.ask(f"document.querySelectorAll({json.dumps(selector)}).length"))

    def complaints(self) -> list[str]:
        """What the browser says against the page, such as an error of its script or something that it may not load."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    @property
    def step(self) -> str:
        return self.text("#count")


def changed_cells(reader: Reader) -> list[str]:
    cells: list[str] = reader.ask("[...document.querySelectorAll('#r1 td.changed:not(.off)')].map(c => c.textContent)")
    return cells


def test_keys_go_through_the_steps(browser: Any, raft: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    reader = Reader(browser, raft)
    assert reader.step == "6 / 6"
    assert changed_cells(reader) == ["{s0, s1}", "true"]
    reader.press(Keys.ARROW_LEFT)
    assert reader.step == "5 / 6"
    assert reader.text("#r1 .happened") == "s0 on Vote(term: 1) from s1"
    reader.press(Keys.HOME)
    assert reader.step == "0 / 6"
    assert changed_cells(reader) == []
    reader.press(Keys.ARROW_LEFT)
    assert reader.step == "0 / 6"
    reader.press(Keys.ARROW_DOWN)
    assert changed_cells(reader) == ["1", "{s0}"]
    assert reader.text("#r1 [aria-current=step]") == "1"
    assert "s0 timeout begin_term" in reader.ask("document.querySelector('#spoken').textContent")
    reader.press(Keys.END)
    assert reader.step == "6 / 6"
    assert reader.complaints() == []


def test_clicks_and_links_choose_a_step(browser: Any, raft: Path) -> None:
    reader = Reader(browser, raft)
    reader.click("#r1-3 .event")
    assert reader.step == "3 / 6"
    assert reader.count("#r1 .way.now") == 2  # the two parts of the message that step 3 receives
    reader.click("#next")
    reader.click("#next")
    assert reader.step == "5 / 6"
    reader.click(".facts a")
    assert reader.step == "1 / 6"
    reader.click("#end")
    assert reader.step == "6 / 6"
    assert reader.ask("document.querySelector('#next').disabled") is True


def test_another_run_is_chosen(browser: Any, raft: Path) -> None:
    from selenium.webdriver.support.ui import Select

    reader = Reader(browser, raft)
    Select(browser.find_element("css selector", "#pick")).select_by_value("r2")
    assert reader.step == "8 / 8"
    assert "StateMachineSafety" in reader.text("#r2 h1")
    assert reader.ask("document.querySelector('#r1').hidden") is True


def test_variables_are_hidden_and_found(browser: Any, raft: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    reader = Reader(browser, raft)
    state = "#r1 .panel"
    assert "term" in reader.text(state) and "RequestVote(term: 1) from s0" not in reader.text(state)
    reader.click("#r1 [data-shows='0']")
    assert "Server.term" in reader.text(state) and "\nterm" not in reader.text(state)
    assert "term: 0 → 1" not in reader.text("#r1 .steps")
    reader.click("#r1 [data-shows='4']")
    assert "RequestVote(term: 1) from s0" in reader.text(state)
    reader.press("/")
    reader.press("leading")
    assert reader.text("#hits") == "2 steps"
    assert reader.ask("[...document.querySelectorAll('#r1 .step.hit')].map(s => s.id)") == ["r1-5", "r1-6"]
    assert "votes" not in reader.text("#r1 table.state") and "leading" in reader.text("#r1 table.state")
    reader.press(Keys.ESCAPE)
    assert reader.text("#hits") == ""
    assert "votes" in reader.text("#r1 table.state")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_hangs_over_the_edge(browser: Any, raft: Path, size: tuple[int, int], theme: str) -> None:
    reader = Reader(browser, raft, size, theme)
    assert reader.ask("document.documentElement.scrollWidth") <= size[0]
    assert reader.ask("document.querySelector('#r1 .words').getBoundingClientRect().width") > 150
    assert reader.complaints() == []


def test_light_and_dark(browser: Any, raft: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = Reader(browser, raft).ask(paper), Reader(browser, raft, theme="dark").ask(paper)
    assert light != dark
    reader = Reader(browser, raft)
    reader.click("#theme")
    assert reader.ask(paper) == dark
    assert reader.text("#theme") == "Light"
    reader.click("#theme")
    assert reader.ask(paper) == light


def test_arrows_are_straight(browser: Any, raft: Path) -> None:
    """The parts of a message's way, in rows of different heights, lie on one line."""
    reader = Reader(browser, raft)
    slopes = reader.ask("""[...document.querySelectorAll('#r1 [data-way="0"]')].map(part => {
        const box = part.getBoundingClientRect(); return box.width / box.height; })""")
    assert len(slopes) == 2
    assert slopes[0] == pytest.approx(slopes[1], rel=0.02)


def test_what_is_printed_has_the_run_and_no_buttons(browser: Any, raft: Path, tmp_path: Path) -> None:
    import base64

    reader = Reader(browser, raft)
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert reader.ask("getComputedStyle(document.querySelector('.bar')).display") == "none"
        assert reader.ask("document.querySelector('#r1 .steps').offsetHeight") > 200
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state graph of Peterson's algorithm for two processes."""
    target = tmp_path_factory.mktemp("graphs") / "two.html"
    assert run(["check", "-q", str(ROOT / "specs/peterson.spec"), "-i", "two", "--graph", str(target)]) == 0
    return target


def test_a_walk_through_the_state_graph(browser: Any, graph: Path) -> None:
    reader = Reader(browser, graph)
    assert reader.text("#which") == "State 0"
    reader.click("[data-node='2']")
    assert reader.text("#which") == "State 2"
    assert "[1: announcing, 2: climbing]" in reader.text("#values")
    reader.click("#from button")
    assert reader.text("#which") != "State 2"
    assert "2" in reader.text("#to")
    assert reader.count(".arc.now") > 1
    assert reader.complaints() == []


def test_the_graph_is_searched_moved_and_thinned_out(browser: Any, graph: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    reader = Reader(browser, graph)
    reader.press("/")
    reader.press("phase = [1: critical")
    assert reader.text("#hits") == "3 of 42"
    assert reader.count(".node:not(.miss)") == 3
    size = "document.querySelector('#sheet').viewBox.baseVal"
    whole = reader.ask(f"{size}.width")
    reader.click("#in")
    assert reader.ask(f"{size}.width") < whole
    reader.click("#fit")
    reader.ask("document.querySelector('#sheet').focus()")
    reader.press(Keys.ARROW_RIGHT, "-")
    assert reader.ask(f"{size}.width") > whole
    reader.click("[data-action='2'][type=checkbox]")
    assert reader.count(".arc.off") == reader.count(".arc[data-action='2']") > 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_graph_fits_a_telephone(browser: Any, graph: Path, theme: str) -> None:
    reader = Reader(browser, graph, PHONE, theme)
    assert reader.ask("document.documentElement.scrollWidth") <= PHONE[0]
    assert reader.complaints() == []
