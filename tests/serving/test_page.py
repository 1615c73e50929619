"""The page in a real browser: a picked file, a fake camera, the keyboard, a narrow screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from support.process import Running, running_server
from support.served import Pictures, promote_drawn
from vultus.contracts.home import Home

pytestmark = pytest.mark.journey

_CHROMIUM = Path("/usr/bin/chromium")
_WIDE, _NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = Home(tmp_path_factory.mktemp("served"))
    promote_drawn(home)
    with running_server(home) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, shown: Pictures) -> Path:
    """What the fake camera films: Ada, for ever, as motion JPEG."""
    face = cv2.imdecode(np.frombuffer(shown.ada, np.uint8), cv2.IMREAD_COLOR)
    side = 480
    wide = np.full((side, 640, 3), 90, np.uint8)
    wide[:, 80:560] = cv2.resize(face, (side, side))
    file = tmp_path_factory.mktemp("camera") / "ada.mjpeg"
    frame = cv2.imencode(".jpg", wide)[1].tobytes()
    file.write_bytes(frame * 30)
    return file


@pytest.fixture(scope="module")
def browser(clip: Path) -> Iterator[Any]:
    if not _CHROMIUM.exists():
        pytest.skip("needs Debian's chromium at /usr/bin/chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(_CHROMIUM),
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={clip}",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, server: Running) -> Iterator[Any]:
    """The page as the printed address opens it; a script error fails the test."""
    context = browser.new_context(viewport=_WIDE)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda m: errors.append(m.text) if "Content Security" in m.text else None)
    opened.goto(server.page)
    opened.wait_for_selector("#server:has-text('ready')")
    yield opened
    context.close()
    assert not errors


def put(page: Any, slot: str, data: bytes) -> None:
    file = {"name": f"{slot}.jpg", "mimeType": "image/jpeg", "buffer": data}
    page.set_input_files(f"[data-slot={slot}] input[type=file]", file)


def decision(page: Any, place: str, wanted: str) -> Any:
    """The card, once it shows that decision."""
    return page.wait_for_selector(f"#result-{place} [data-decision={wanted}]", timeout=20_000)


def test_two_pictures_are_compared(page: Any, shown: Pictures) -> None:
    assert page.is_disabled("#verify")
    put(page, "reference", shown.ada)
    put(page, "probe", shown.ada)
    page.click("#verify")
    words = decision(page, "verify", "match").inner_text()
    for part in ("Same person", "accepted from", "simulated attacks only", "not proven yet",
                 "vultus-recognition/1"):  # fmt: skip
        assert part in words
    put(page, "probe", shown.attack)
    page.click("#verify")
    assert "print, a screen or a mask" in decision(page, "verify", "not_decided").inner_text()


def test_the_key_leaves_the_address_and_survives_a_reload(page: Any, shown: Pictures) -> None:
    assert "vultus_" not in page.url
    page.reload()
    page.click("#tab-liveness")
    put(page, "live", shown.ada)
    decision(page, "liveness", "bona_fide")


def test_the_camera_is_judged_while_it_runs(page: Any) -> None:
    page.click("#tab-liveness")
    page.click("[data-slot=live] button")
    assert "A live presentation" in decision(page, "liveness", "bona_fide").inner_text()
    page.click("text=Stop camera")
    page.wait_for_selector("[data-slot=live] video", state="hidden")


def test_a_picture_is_taken_with_the_camera(page: Any, shown: Pictures) -> None:
    put(page, "reference", shown.ada)
    page.click("[data-slot=probe] button")
    page.click("text=Take picture")
    page.wait_for_selector("#verify:not([disabled])")
    page.click("#verify")
    page.wait_for_selector("#result-verify [data-decision=match], [data-decision=non_match]")


def test_people_are_enrolled_found_and_forgotten(page: Any, shown: Pictures) -> None:
    page.click("#tab-people")
    put(page, "person", shown.ada)
    page.fill("#subject", "<b>ada</b>")
    page.click("#enrol")
    assert "Enrolled as <b>ada</b>" in decision(page, "people", "enrolled").inner_text()
    page.click("#identify")
    assert "This is <b>ada</b>" in decision(page, "people", "match").inner_text()
    page.click("#forget")
    decision(page, "people", "forgotten")
    page.click("#forget")
    assert "Not Found" in decision(page, "people", "problem").inner_text()


def test_a_file_that_is_no_picture_is_explained(page: Any) -> None:
    page.click("#tab-liveness")
    put(page, "live", b"Dear Sir or Madam")
    assert "no picture of a known kind" in decision(page, "liveness", "problem").inner_text()


def test_the_keyboard_is_enough(page: Any) -> None:
    page.focus("#tab-verify")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#tab-liveness", "aria-selected") == "true"
    assert page.is_visible("#panel-liveness")
    assert not page.is_visible("#panel-verify")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Start camera"


def test_without_a_key_the_page_asks_for_it(browser: Any, server: Running) -> None:
    context = browser.new_context(viewport=_NARROW)
    page = context.new_page()
    page.goto(server.url)
    page.fill("#key", server.key)
    page.click("text=Use this key")
    page.wait_for_selector("#key-form", state="hidden")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_screen(
    browser: Any, server: Running, shown: Pictures, scheme: str
) -> None:
    context = browser.new_context(viewport=_NARROW, color_scheme=scheme)
    page = context.new_page()
    page.goto(server.page)
    page.click("#tab-people")
    put(page, "person", shown.ada)
    page.click("#identify")
    decision(page, "people", "not_decided")
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) <= 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(v) for v in ground[4:-1].split(",")) < 300) is (scheme == "dark")
    context.close()
