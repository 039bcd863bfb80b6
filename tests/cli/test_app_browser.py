"""The six journeys in a real browser, with the real models on a piece of the sample."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "assets" / "samples" / "shelf.jpg"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000  # ms; a busy machine is no failure
PAGES = ("Photos", "Scene", "Groups", "Map", "Search", "Report")

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no browser: install Debian's chromium"),
    pytest.mark.skipif(not SAMPLE.is_file(), reason="the sample scene is not there"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log"
    with open(log, "w") as out:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "scripts" / "app.py"), "--port", str(port)], stdout=out, stderr=out,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.2)  # polling a port; there is no event to wait for
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


class Visit:
    """A page that fails the test on script errors and on requests to other machines."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.wrong = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)
        self.address = address
        self.page.goto(address)

    def _asked(self, request):
        if not request.url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.wrong.append(f"asked for {request.url}")

    def go(self, name):
        self.page.get_by_role("radiogroup", name="Page").get_by_text(name, exact=True).click()

    def upload(self, name, content):
        self.page.locator("input[type=file]").first.set_input_files(
            [{"name": name, "mimeType": "image/jpeg", "buffer": content}]
        )

    def facts(self):
        return self.page.locator(".facts").inner_text()

    def close(self):
        self.context.close()
        assert self.wrong == []


def jpeg(box):
    out = io.BytesIO()
    with Image.open(SAMPLE) as picture:
        picture.crop(box).save(out, format="JPEG", quality=92)
    return out.getvalue()


@pytest.fixture(scope="module")
def visit(browser, address):
    """Journey 1: a photo is dropped, the stages are told, the scene opens."""
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800}, color_scheme="light")
    visit.upload("corner.jpg", jpeg((400, 560, 1000, 1000)))
    visit.page.get_by_role("button", name="Find and group objects").click()
    visit.page.get_by_text("Finding objects").first.wait_for()
    visit.page.get_by_test_id("scene-view").wait_for()
    sync_api.expect(visit.page.locator(".facts")).to_contain_text("corner")
    yield visit
    visit.close()


def test_scene_hover_click_zoom_hide_and_redraw(visit):
    visit.go("Scene")
    page, view = visit.page, visit.page.get_by_test_id("scene-view")
    root = page.locator(".root")
    sync_api.expect(root).to_have_attribute("data-areas", re.compile("^[1-9][0-9]*$"))
    view.focus()
    page.keyboard.press("ArrowRight")  # the first object, then its neighbour
    page.keyboard.press("ArrowRight")
    sync_api.expect(page.locator(".tip")).to_contain_text("Group")
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).wait_for()
    stage = page.locator(".stage")
    before = stage.get_attribute("style")
    page.get_by_role("button", name="Zoom in").click()
    sync_api.expect(stage).not_to_have_attribute("style", before)
    page.get_by_role("button", name="Fit", exact=True).click()
    chip = page.locator(".chip").first
    number = chip.get_attribute("data-c")
    chip.click()
    sync_api.expect(page.locator(f'.chip[data-c="{number}"]')).to_have_attribute("aria-pressed", "false")
    sync_api.expect(page.locator(f'path.area[data-c="{number}"]').first).to_have_class(
        re.compile("gone"), timeout=PATIENCE
    )
    page.get_by_role("button", name="Show all").click()
    for slider in (0, 1):
        state = root.get_attribute("data-state")
        page.get_by_role("slider").nth(slider).focus()
        page.keyboard.press("ArrowRight")
        sync_api.expect(root).not_to_have_attribute("data-state", state, timeout=PATIENCE)


def test_hover_shows_the_crop_and_click_selects(visit):
    visit.go("Scene")
    page, view = visit.page, visit.page.get_by_test_id("scene-view")
    area = page.locator("path.area").first
    area.wait_for()
    frame, box = view.bounding_box(), area.bounding_box()
    middle = {"x": box["x"] + box["width"] / 2 - frame["x"], "y": box["y"] + min(box["height"], 60) / 2 - frame["y"]}
    view.hover(position=middle)
    sync_api.expect(page.locator(".tip .crop")).to_be_visible(timeout=PATIENCE)
    view.click(position=middle)
    page.get_by_role("button", name="Edit", exact=True).wait_for()


def test_groups_rename_merge_drag_and_undo(visit):
    visit.go("Groups")
    page = visit.page
    cards = page.locator(".card[data-c]")
    cards.first.wait_for()
    count = cards.count()
    page.locator(".head").first.click()
    name = page.get_by_label("Name of")
    name.fill("Green <i>tea</i>")
    name.press("Enter")
    page.locator(".head b", has_text="Green <i>tea</i>").wait_for()
    page.locator(".head").nth(1).click()
    page.get_by_role("button", name="Merge 2 groups").click()
    sync_api.expect(cards).to_have_count(count - 1, timeout=PATIENCE)
    page.locator(".item").first.drag_to(page.get_by_text("drop them here to make a new group"))
    sync_api.expect(cards).to_have_count(count, timeout=PATIENCE)
    undo = page.get_by_role("button", name="Undo", exact=False).first
    undo.click()
    sync_api.expect(cards).to_have_count(count - 1, timeout=PATIENCE)
    undo.click()
    sync_api.expect(cards).to_have_count(count, timeout=PATIENCE)


def test_map_hover_and_three_dimensions(visit):
    visit.go("Map")
    page, canvas = visit.page, visit.page.get_by_test_id("map")
    canvas.wait_for()
    canvas.focus()
    page.keyboard.press("n")
    sync_api.expect(page.locator(".tip .crop")).to_be_visible(timeout=PATIENCE)
    page.get_by_text("3-D", exact=True).click()
    sync_api.expect(page.locator(".root")).to_have_attribute("data-dimensions", "3", timeout=PATIENCE)
    spot = canvas.bounding_box()
    page.mouse.move(spot["x"] + 200, spot["y"] + 200)
    page.mouse.down()
    page.mouse.move(spot["x"] + 300, spot["y"] + 230, steps=4)
    page.mouse.up()


def test_search_by_a_drawn_box_and_by_upload(visit):
    visit.go("Search")
    page, view = visit.page, visit.page.get_by_test_id("scene-view")
    view.wait_for()
    page.get_by_role("button", name="Draw a box").click()
    spot = view.bounding_box()
    page.mouse.move(spot["x"] + spot["width"] * 0.4, spot["y"] + spot["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(spot["x"] + spot["width"] * 0.55, spot["y"] + spot["height"] * 0.6, steps=5)
    page.mouse.up()
    page.get_by_text("Most similar first").wait_for()
    page.get_by_text("A picture of it").click()
    page.get_by_text("Drop a picture of one object").wait_for()
    visit.upload("one.jpg", jpeg((440, 600, 520, 720)))
    page.get_by_text("Most similar first").wait_for()


def test_report_catalogue_and_downloads(visit):
    visit.go("Report")
    page = visit.page
    page.get_by_role("heading", name="Share of shelf").wait_for()
    page.get_by_text("Catalogue", exact=True).click()
    page.get_by_role("button", name="Add these photos").click()
    page.get_by_text("Where has it been seen?").wait_for()
    page.get_by_text("Downloads", exact=True).click()
    start = {"CSV": b"scene,object_id", "JSON": b'{"images"', "Overlay": b"\x89PNG", "HTML": b"<!doctype html>"}
    for name, first in start.items():
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        assert Path(waiting.value.path()).read_bytes().startswith(first)


def test_what_is_no_photo_is_said_kindly(browser, address):
    visit = Visit(browser, address, viewport={"width": 1280, "height": 800})
    visit.upload("broken.jpg", b"this is text")
    visit.page.get_by_role("button", name="Find and group objects").click()
    visit.page.get_by_text("could not be used").wait_for()
    visit.go("Map")
    visit.page.get_by_text("No photos yet").wait_for()
    visit.page.get_by_role("button", name="Add photos").click()
    visit.page.get_by_text("Or try a sample").wait_for()
    visit.close()


def test_phone_in_the_dark_never_scrolls_sideways(browser, address):
    visit = Visit(
        browser, address, viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True, is_mobile=True
    )
    page = visit.page
    visit.upload("corner.jpg", jpeg((400, 560, 1000, 1000)))
    page.get_by_role("button", name="Find and group objects").click()
    page.get_by_test_id("scene-view").wait_for()
    marks = {
        "Photos": page.get_by_text("Or try a sample"), "Scene": page.get_by_test_id("scene-view"),
        "Groups": page.get_by_test_id("cards"), "Map": page.get_by_test_id("map"),
        "Search": page.get_by_text("Nothing asked yet"), "Report": page.get_by_role("heading", name="Share of shelf"),
    }  # fmt: skip
    for name in PAGES:
        visit.go(name)
        marks[name].first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    shade = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert sum(map(int, shade.removeprefix("rgb(").removesuffix(")").split(","))) < 150
    visit.close()


def test_the_photo_can_be_reached_by_keyboard(visit):
    visit.go("Scene")
    page = visit.page
    page.get_by_test_id("scene-view").wait_for()
    page.get_by_role("radiogroup", name="Page").get_by_text("Scene", exact=True).focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate("""() => { let e = document.activeElement;
            while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
            return e && e.dataset ? e.dataset.testid || "" : ""; }""")
        if focused == "scene-view":
            return
    pytest.fail("Tab never came to the photo")
