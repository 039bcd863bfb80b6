"""The workbench in a real browser: a journey for each kind of work, on a desktop and on a phone, light and dark.

The models are stubs on painted squares, so that a journey takes seconds; one journey starts the real command on the
sample. ``SHOTS=folder pytest tests/cli/test_app_browser.py`` keeps a picture of every journey.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from packed_scenes.web.project import teaching
from packed_scenes.web.server import home
from packed_scenes.web.server.app import make_app
from packed_scenes.web.server.workplace import Workplace
from tests.packed_scenes.conftest import paint
from tests.packed_scenes.workbench import FIRST, SECOND, many_objects, painted, png, stub_models

ROOT = Path(__file__).resolve().parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000  # ms; a busy machine is no failure
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
BIG = [[(r + c // 2) % 4 for c in range(8)] for r in range(6)]

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
uvicorn = pytest.importorskip("uvicorn")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no browser: install Debian's chromium"),
    pytest.mark.timeout(600),
]
expect = sync_api.expect


class Served:
    """A server with stub models in a thread."""

    def __init__(self, folder):
        (folder / "photos").mkdir()
        self.folder = folder
        self.place = Workplace(folder / "projects", observer=stub_models(), photos=[folder / "photos"],
                               catalogue=folder / "catalogue")  # fmt: skip
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        port = self.socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(make_app(self.place, port=port, token="t0ken"), log_level="warning")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()

    def project(self, name, make):
        """Make a project that every visit sees; returns its address within the page."""
        made = make(self.folder / "projects" / name)
        made.folder.close()
        return f"#/{name}/"

    def stop(self):
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(home, "sample_fits", lambda _: True)  # the sample that ships, whatever the stubs say of their weights
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.stop()
    patch.undo()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


class Visit:
    """A page that fails the test on script errors, refused scripts, and requests to other machines."""

    def __init__(self, browser, address, start="", *, token="t0ken", context=None, **options):
        self.context = context or browser.new_context(accept_downloads=True, **options)
        self.context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        self.page = self.context.new_page()
        self.wrong, self.address = [], address
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda m: self.wrong.append(m.text) if "Content Security" in m.text else None)
        self.page.on("request", self._asked)
        self.page.goto(f"{address}/?token={token}")
        self.page.goto(f"{address}/{start}")
        self.canvas = self.page.get_by_test_id("photo")

    def _asked(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(request.url)

    def go(self, view):
        self.page.locator(f"#view-{view}").click()

    def home(self):
        """The start, also where the first visit went to the sample."""
        self.page.locator(".home h1, canvas[data-view]").first.wait_for()
        self.page.locator("a.brand").click()
        self.page.locator(".home h1").wait_for()

    def photo(self):
        """Wait for the photo with its objects."""
        expect(self.canvas).to_have_attribute("data-objects", re.compile("^[0-9]+$"))
        expect(self.canvas).to_have_attribute("data-view", re.compile("."))

    def objects(self, count):
        expect(self.canvas).to_have_attribute("data-objects", str(count))

    def at(self, x, y):
        """A point of the photo, in pixels of the page."""
        self.canvas.scroll_into_view_if_needed()
        zoom, dx, dy = map(float, self.canvas.get_attribute("data-view").split())
        box = self.canvas.bounding_box()
        w, h = self.page.evaluate("() => [packedScenes.viewer.data.w, packedScenes.viewer.data.h]")
        scale = min(box["width"] / w, box["height"] / h) * zoom
        return box["x"] + dx + x * scale, box["y"] + dy + y * scale

    def click(self, x, y, **options):
        self.page.mouse.move(*self.at(x, y))
        self.page.mouse.click(*self.at(x, y), **options)

    def drag(self, *points):
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        self.page.mouse.up()

    def said(self, text):
        expect(self.page.locator("#toasts")).to_contain_text(text)

    def touch(self, *points):
        """Draw a finger over the photo."""
        session = self.context.new_cdp_session(self.page)
        for kind, point in (("touchStart", points[0]), *(("touchMove", p) for p in points[1:])):
            x, y = self.at(*point)
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def shot(self, name):
        if os.environ.get("SHOTS"):
            Path(os.environ["SHOTS"]).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png")

    def narrow(self):
        """Nothing is wider than the page."""
        assert self.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1")

    def close(self):
        self.context.close()
        assert self.wrong == []


@pytest.fixture
def visit(browser, served, request):
    """A visit; the test names options through ``visit(start, **options)``."""
    made = []

    def start(at="", **options):
        made.append(Visit(browser, served.address, at, **({**DESKTOP, **options})))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_projects_save_as_they_go_and_two_tabs_see_the_same(visit, served, browser):
    one = visit("#/", color_scheme="dark")
    one.photo()  # the first visit sees a result
    expect(one.page.get_by_test_id("facts")).to_contain_text("1 photo, ")
    one.page.locator("a.brand").click()
    one.page.get_by_role("heading", name="Find every object").wait_for()
    one.shot("home-dark")
    files = [
        {"name": f"photo{n}.png", "mimeType": "image/png", "buffer": png(paint(rows))}
        for n, rows in enumerate((FIRST, SECOND))
    ]
    one.page.get_by_test_id("files").set_input_files(
        [*files, {"name": "<i>bad</i>.jpg", "mimeType": "image/jpeg", "buffer": b"no"}]
    )
    one.photo()
    one.page.get_by_text("1 file left out").wait_for()
    expect(one.page.get_by_test_id("facts")).to_contain_text("2 photos, 16 objects, 4 groups")
    one.click(15, 15)
    name = one.page.get_by_label("Name of")
    name.fill("Green <i>tea</i>")
    name.press("Enter")
    one.said("named Green <i>tea</i>")
    two = Visit(browser, served.address, one.page.url.split("/", 3)[3], context=one.context)
    two.photo()
    two.page.locator(".chip", has_text="Green <i>tea</i>").wait_for()
    two.go("groups")
    two.page.locator(".card[data-c] .pick").nth(1).click()
    two.page.locator(".card[data-c] .pick").nth(2).click()
    two.page.get_by_role("button", name="Merge 2 groups").click()
    expect(one.page.get_by_test_id("facts")).to_contain_text("3 groups")  # the first tab follows by itself
    one.page.reload()
    one.photo()
    expect(one.page.get_by_test_id("facts")).to_contain_text("3 groups")
    one.page.keyboard.press("Control+z")
    one.said("Undone: 2 groups merged")
    expect(two.page.get_by_test_id("facts")).to_contain_text("4 groups")
    one.page.keyboard.press("Control+Shift+Z")
    one.said("Done again: 2 groups merged")
    one.shot("photos-dark")
    with one.page.expect_download() as found:
        one.page.get_by_label("More", exact=True).click()
        one.page.get_by_text("Export as one zip").click()
    zipped = found.value.path().read_bytes()
    one.page.locator("a.brand").click()
    one.page.get_by_role("link", name="photo0").or_(one.page.locator(".recent a").first).first.wait_for()
    one.page.get_by_test_id("files").set_input_files(  # among the photos: known as a project
        [{"name": "back.zip", "mimeType": "application/zip", "buffer": zipped}]
    )
    one.photo()
    expect(one.page.get_by_test_id("facts")).to_contain_text("3 groups")
    one.page.locator(".chip", has_text="Green <i>tea</i>").wait_for()
    assert two.wrong == []


@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_boxes_are_drawn_moved_resized_deleted_found_and_refused(visit, served, kind):
    start = served.project(f"boxes-{kind}", lambda folder: painted(folder, BIG, SECOND))
    here = visit(
        start, **(DESKTOP if kind == "desktop" else PHONE), color_scheme="light" if kind == "desktop" else "dark"
    )
    page = here.page
    here.photo()
    here.objects(48)
    here.click(15, 15)
    expect(page.get_by_test_id("picked")).to_contain_text("1 object selected")
    card, sliders = page.get_by_test_id("card").bounding_box(), page.locator(".sliders").bounding_box()
    assert card["y"] < sliders["y"]
    here.narrow()
    here.shot(f"boxes-{kind}")
    page.get_by_role("button", name="Not an object, here").click()
    here.objects(47)
    page.get_by_role("button", name="Draw box").click()
    here.drag((4, 4), (26, 26))
    here.objects(48)
    here.said("1 box drawn")
    page.get_by_role("button", name="Select", exact=True).click()
    box = lambda: page.evaluate("() => packedScenes.viewer.handled()")  # noqa: E731
    page.wait_for_timeout(100)
    before = box()
    here.drag((26, 26), (29, 29))  # its lower right handle
    here.said("1 box resized")
    assert box()[2] > before[2]
    if kind == "desktop":
        page.keyboard.press("Shift+ArrowRight")
        here.said("1 box moved")
        page.reload()
        here.photo()
        here.objects(48)
        here.click(15, 15)
        page.keyboard.press("Delete")
        here.objects(47)
        here.click(45, 45)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("d")
    else:
        here.click(75, 45)
        expect(page.get_by_test_id("picked")).to_contain_text("1 object selected")
        before = box()
        here.touch((75, 45), (78, 47), (80, 49))  # within the box: it moves
        here.said("1 box moved")
        assert box()[0] > before[0] + 2
        page.reload()
        here.photo()
        page.get_by_label("Undo: 1 box moved").click()
        here.said("Undone: 1 box moved")
        here.click(15, 15)
        page.get_by_role("button", name="Not an object, here").click()
        here.objects(47)
    here.click(165, 165)
    page.get_by_role("button", name="Find these too, here").click()
    page.locator("#toasts, [data-testid=proposals]").filter(has_text=re.compile("found|Nothing more")).first.wait_for()
    here.click(45, 15)
    page.get_by_role("button", name="Never an object").click()
    here.said("boxes like this one taken away")
    page.keyboard.press("Control+z")
    here.objects(47)
    slider = page.locator("#threshold")
    slider.focus()
    slider.evaluate("(node) => { node.value = '0.7'; node.dispatchEvent(new Event('input')); }")
    expect(page.locator(".live", has_text="would change")).to_be_visible()
    assert page.evaluate("() => packedScenes.viewer.preview.moved.length") > 0
    here.shot(f"threshold-{kind}")
    slider.evaluate("(node) => node.dispatchEvent(new Event('change'))")
    here.said("Similarity changed")
    page.get_by_label("Undo: Similarity changed").click()
    here.said("Undone: Similarity changed")
    expect(page.get_by_label(re.compile("^Redo: Similarity"))).to_be_visible()
    expect(page.locator("#undo .what")).to_be_visible()
    here.shot(f"undone-{kind}")
    slider = page.locator("#confidence")
    slider.focus()
    slider.evaluate("(node) => { node.value = '0.8'; node.dispatchEvent(new Event('input')); }")
    expect(page.locator(".live", has_text="disappear")).to_be_visible()
    here.shot(f"confidence-{kind}")
    slider.evaluate("(node) => node.dispatchEvent(new Event('change'))")
    here.said("Score changed")
    here.narrow()


def test_find_these_too_on_all_photos(visit, served):
    def make(folder):
        from packed_scenes.web.project import boxes

        made = painted(folder, FIRST, SECOND)
        gone = [int(r) for r in made.view().rows if abs(made.document.columns["xyxy"][r][:2] - [35, 5]).max() < 1]
        boxes.delete(made, gone)
        return made

    here = visit(served.project("alike", make))
    here.photo()
    here.objects(10)
    here.click(15, 15)
    here.page.get_by_role("button", name="… on all photos").click()
    here.page.get_by_test_id("proposals").wait_for()
    here.page.reload()  # what was found is not lost
    here.page.get_by_test_id("proposals").wait_for()
    here.shot("alike")
    here.page.get_by_test_id("proposals").get_by_role("button", name=re.compile("Add")).click()
    expect(here.canvas).to_have_attribute("data-objects", re.compile("^1[1-9]$"))
    here.page.reload()
    here.photo()
    here.page.locator(".chip").first.wait_for()
    expect(here.page.get_by_test_id("proposals")).to_have_count(0)  # and comes once only


@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_same_different_lasso_and_review_by_keys(visit, served, kind):
    def make(folder):
        import numpy as np

        made = many_objects(folder, 60)
        rng = np.random.default_rng(1)
        base = made.document.columns["vector"]
        for group in (1, 3, 5):
            rows = np.flatnonzero(made.document.columns["cluster"] == group)
            near = base[rows[0] - 6] + (0.7 + 0.05 * group) * rng.normal(size=16).astype(np.float32) / 4
            made.commit("near", columns=made.document.patch("vector", rows, near / np.linalg.norm(near)))
        made.history.settle()
        return made

    options = DESKTOP if kind == "desktop" else PHONE
    here = visit(
        served.project(f"review-{kind}", make) + "review",
        **options,
        color_scheme="dark" if kind == "desktop" else "light",
    )
    page, box = here.page, here.page.get_by_test_id("review")
    page.get_by_role("heading", name="The same?").wait_for()
    width = lambda: int(box.get_attribute("data-high")) - int(box.get_attribute("data-low"))  # noqa: E731
    first, pair = width(), box.get_attribute("data-pair")
    here.narrow()
    here.shot(f"review-{kind}")
    page.get_by_role("button", name="Show it on").first.click()
    here.photo()
    expect(page.get_by_test_id("picked")).to_contain_text("1 object selected")
    page.go_back()
    expect(box).to_have_attribute("data-pair", pair)
    if kind == "desktop":
        page.keyboard.press("n")
    else:
        page.get_by_role("button", name="No, different").click()
    expect(box).not_to_have_attribute("data-pair", pair)
    expect(box).to_have_attribute("data-answered", "1")
    page.reload()
    expect(box).to_have_attribute("data-answered", "1")
    for number, key in enumerate(("y", "u"), start=2):
        if page.get_by_role("heading", name="The same?").is_visible():
            page.keyboard.press(key)
            expect(box).to_have_attribute("data-answered", str(number))
    assert width() <= first
    page.keyboard.press("Control+z")
    here.go("photo")
    here.photo()
    page.get_by_role("button", name="Lasso").click()
    here.drag((0, 0), (45, 0), (45, 20), (0, 20), (0, 1))
    expect(page.get_by_test_id("picked")).to_contain_text("2 objects selected")
    page.get_by_role("button", name="Different", exact=True).click()
    here.said("2 objects different")
    page.get_by_role("button", name="Same", exact=True).click()
    here.said("2 objects same")


def test_names_are_offered_from_the_catalogue_and_typed_ahead(visit, served):
    here = visit(served.project("names-a", lambda folder: painted(folder, FIRST)))
    page = here.page
    here.photo()
    here.click(15, 15)
    page.get_by_label("Name of").fill("Red soap")
    page.get_by_label("Name of").press("Enter")
    here.said("named Red soap")
    here.go("catalogue")
    page.get_by_role("button", name="Add this project's photos").click()
    here.said("objects added")
    page.locator(".card input[type=text]").first.wait_for()
    here.shot("catalogue")
    served.project("names-b", lambda folder: painted(folder, SECOND))
    page.goto(f"{served.address}/#/names-b/photo")
    here.photo()
    here.click(45, 15)
    offer = page.get_by_test_id("offer").first
    expect(offer).to_contain_text(re.compile(r"This may be Red soap \(distance 0\.\d\d\)"))
    expect(page.locator(".group h2")).to_have_text(re.compile("Group"))
    assert page.locator("datalist option[value='Red soap']").count()
    picture = offer.get_by_alt_text("Red soap in the catalogue")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(node) => node.naturalWidth") > 0
    here.shot("offer")
    page.reload()  # still only offered
    here.photo()
    here.click(45, 15)
    offer.get_by_role("button").click()
    expect(page.locator(".group h2")).to_have_text("Red soap")


def test_many_photos_a_video_folders_keys_and_the_lit_group(visit, served):
    import cv2

    folder = served.folder / "photos" / "aisle"
    folder.mkdir()
    for n in range(12):
        (folder / f"p{n:02d}.png").write_bytes(
            png(paint([[0, 1, n % 4], [2, 3, (n + 1) % 4], [n % 3, 0, 1]])[: 90 - n])
        )
    (folder / "broken.png").write_bytes(b"broken")
    film = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (120, 90))
    for n in range(6):
        film.write(cv2.cvtColor(paint([[n % 4, 1, 2, 3], [None] * 4, [0, 0, n % 3, 1]]), cv2.COLOR_RGB2BGR))
    film.release()
    here = visit("#/", color_scheme="dark")
    page = here.page
    here.home()
    page.get_by_label("Folder or file").fill("/etc")
    page.get_by_role("button", name="Open", exact=True).click()
    here.said("was not named when the app was started")
    page.get_by_label("Folder or file").fill(str(folder))
    page.get_by_label("Every n-th frame of videos").fill("2")
    page.get_by_role("button", name="Open", exact=True).click()
    here.photo()
    expect(page.get_by_test_id("strip").locator(".thumb:not(.coming)")).to_have_count(15)
    expect(page.get_by_test_id("strip").locator(".thumb", has_text="film ")).to_have_count(3)
    page.get_by_text("1 file left out").wait_for()
    expect(page.get_by_test_id("job")).to_have_count(0)
    page.reload()
    here.photo()
    expect(page.locator(".leftout")).to_contain_text("broken.png")
    card, left_out = page.get_by_test_id("card").bounding_box(), page.locator(".leftout").bounding_box()
    assert card["y"] < left_out["y"] < page.locator(".sliders").bounding_box()["y"]
    here.click(15, 15)
    lit = page.locator(".group h2").inner_text()
    page.keyboard.press("PageDown")
    expect(here.canvas).to_have_attribute("data-photo", "1")
    expect(page.locator(".group h2")).to_have_text(lit)
    expect(page.locator(".thumb[aria-current=true]")).to_have_attribute("data-n", "1")
    page.keyboard.press("PageUp")
    expect(here.canvas).to_have_attribute("data-photo", "0")
    here.shot("many-dark")


@pytest.mark.slow
def test_a_thousand_photos_by_path_come_and_are_walked_through(visit, served, record_property):
    import numpy as np

    folder, rng = served.folder / "photos" / "thousand", np.random.default_rng(0)
    folder.mkdir()
    for n in range(1000):
        image = paint(rng.integers(0, 4, (3, 4)).tolist())
        image[0, 0] = (n % 256, n // 256, 1)  # no two files alike
        (folder / f"p{n:03d}.png").write_bytes(png(image))
    here = visit("#/")
    page = here.page
    here.home()
    page.get_by_label("Folder or file").fill(str(folder))
    page.get_by_role("button", name="Open", exact=True).click()
    coming = page.get_by_test_id("coming")
    expect(coming).to_contain_text("of 1000")
    here.photo()
    here.shot("thousand-coming")
    lag = """async (ms) => { const gaps = []; let last = performance.now(), end = last + ms;
        while (last < end) { await new Promise(requestAnimationFrame); const now = performance.now(); gaps.push(now - last); last = now; }
        return gaps.sort((a, b) => a - b); }"""  # noqa: E501
    gaps = page.evaluate(lag, 3000)
    print(f"while photos come: frames {gaps[len(gaps) // 2]:.0f} ms, longest {gaps[-1]:.0f} ms")
    here.click(15, 15)  # and work goes on meanwhile
    expect(page.get_by_test_id("picked")).to_contain_text("1 object selected")
    page.get_by_test_id("job").wait_for(state="detached", timeout=550_000)
    expect(page.get_by_test_id("facts")).to_contain_text("1,000 photos, 12,000 objects", timeout=120_000)
    expect(page.get_by_test_id("strip").locator(".thumb")).to_have_count(1000)
    begin = time.monotonic()
    for n in range(1, 9):
        page.keyboard.press("PageDown")
        expect(here.canvas).to_have_attribute("data-photo", str(n))
    print(f"photo to photo {(time.monotonic() - begin) / 8 * 1000:.0f} ms")
    gaps = page.evaluate(lag, 3000)
    print(f"afterwards: frames {gaps[len(gaps) // 2]:.0f} ms, longest {gaps[-1]:.0f} ms")
    page.reload()
    here.photo()
    page.locator(".thumb").nth(999).scroll_into_view_if_needed()
    page.locator(".thumb").nth(999).click()
    expect(here.canvas).to_have_attribute("data-photo", "999")
    here.shot("thousand")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_every_view_on_every_screen(visit, served, kind, scheme):
    start = served.project(f"views-{kind}-{scheme}", lambda folder: painted(folder, BIG, SECOND))
    here = visit(start, **(DESKTOP if kind == "desktop" else PHONE), color_scheme=scheme)
    here.photo()
    ready = {"photo": ".chip", "groups": ".item img", "review": ".figure", "map": "canvas[data-points]",
             "report": "table", "catalogue": ".report h2", "teach": ".tiles .tile"}  # fmt: skip
    for view, sign in ready.items():
        here.go(view)
        here.page.locator(sign).first.wait_for()
        here.narrow()
        here.shot(f"{view}-{kind}-{scheme}")


@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_before_and_after_are_shown_until_they_are_kept_or_discarded(visit, served, kind):
    def make(folder):
        made = painted(folder, FIRST, SECOND, BIG)
        rows = [{"name": "AP50", "before": 0.187, "after": 0.241}, {"name": "AP", "before": 0.118, "after": 0.091}]
        shown = {"rows": rows, "note": "On 2 corrected photos kept out.", "kept": False}
        teaching.remember(made, "detector", shown)
        teaching.remember(made, "embedder", shown | {"sha256": "0" * 64})
        return made

    here = visit(
        served.project(f"taught-{kind}", make) + "teach", **(DESKTOP if kind == "desktop" else PHONE),
        color_scheme="light" if kind == "desktop" else "dark",
    )  # fmt: skip
    page = here.page
    for name in ("detector", "embedder"):
        panel = page.get_by_test_id(f"taught-{name}")
        expect(panel).to_contain_text("0.187")
        expect(panel).to_contain_text("On 2 corrected photos kept out.")
    here.narrow()
    here.shot(f"taught-{kind}")
    page.get_by_test_id("taught-embedder").get_by_role("button", name="Keep").click()
    here.said("no trained network")
    page.get_by_test_id("taught-embedder").get_by_role("button", name="Discard").click()
    expect(page.get_by_test_id("taught-embedder")).to_have_count(0)
    page.reload()
    page.get_by_test_id("taught-detector").get_by_role("button", name="Discard").click()
    expect(page.get_by_test_id("taught-detector")).to_have_count(0)


@pytest.mark.parametrize("kind", ["desktop", "phone"])
def test_a_whole_training_from_corrected_boxes_to_new_photos(visit, served, kind):
    start = served.project(f"training-{kind}", lambda folder: painted(folder, FIRST, SECOND, BIG, [[0, 1], [2, 3]]))
    here = visit(
        start, **(DESKTOP if kind == "desktop" else PHONE), color_scheme="dark" if kind == "desktop" else "light"
    )
    page = here.page
    here.photo()
    here.click(15, 15)
    page.get_by_role("button", name="Not an object, here").click()
    here.said("1 box deleted")
    here.go("teach")
    for photo in ("photo0", "photo1", "photo2"):
        page.get_by_label(f"{photo} is right").check()
    page.get_by_label("Minutes").fill("0.3")
    page.get_by_label("Minutes").press("Tab")
    page.get_by_role("button", name="Train on boxes of 3 photos").click()
    training = page.get_by_test_id("training")
    training.wait_for()
    page.reload()  # it goes on, and shows what is left
    expect(training).to_contain_text(re.compile(r"Training the detector · \d+ % · \d+ s left"), timeout=240_000)
    here.shot(f"training-{kind}")
    here.narrow()
    if kind == "phone":  # stopped, and taken up again
        page.get_by_test_id("job").get_by_role("button", name="Stop").click()
        expect(page.get_by_test_id("interrupted")).to_contain_text("was not finished")
        here.shot("interrupted-phone")
        page.reload()
        page.get_by_role("button", name="Go on with it").click()
    result = page.get_by_test_id("taught-detector")
    expect(result).to_contain_text("On 1 corrected photo kept out; trained on 2", timeout=240_000)
    expect(page.get_by_test_id("compared").locator("canvas")).to_have_count(2)
    page.get_by_test_id("compared").scroll_into_view_if_needed()
    here.narrow()
    here.shot(f"compared-{kind}")
    result.get_by_role("button", name="Keep").click()
    expect(result).to_contain_text("In use.")
    page.reload()
    page.get_by_role("button", name="Find boxes anew on 1 photo not ticked").click()
    here.said("Boxes are found anew")
    expect(page.locator("#undo")).to_have_attribute("aria-label", "Undo: Boxes found anew on 1 photo")
    page.keyboard.press("Control+z")
    here.said("Undone: Boxes found anew on 1 photo")
    page.get_by_role("button", name="Back to the detector of before").click()
    here.said("The detector of before is in use")
    expect(result).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("teach-detector")).not_to_contain_text("In use")


def test_photos_are_marked_as_right_and_then_teach(visit, served):
    start = served.project("teach", lambda folder: painted(folder, FIRST, SECOND, BIG))
    here = visit(start)
    page = here.page
    here.photo()
    page.get_by_label("Every box and group here is right").check()
    here.said("marked as right")
    expect(page.locator(".thumb").first).to_contain_text("✓")
    here.go("teach")
    boxes, groups = page.get_by_test_id("teach-detector"), page.get_by_test_id("teach-embedder")
    button = boxes.get_by_role("button", name=re.compile("Train on boxes of 1 photo"))
    expect(button).to_be_disabled()
    page.get_by_label("photo1 is right").check()
    page.get_by_label("photo2 is right").check()
    expect(boxes.get_by_role("button", name="Train on boxes of 3 photos")).to_be_enabled()
    page.reload()
    expect(groups.get_by_role("button", name="Train on groups of 3 photos")).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(groups.get_by_role("button", name="Train on groups of 2 photos")).to_be_disabled()
    here.narrow()
    here.shot("teach")


@pytest.mark.parametrize("count", [1000, 3000])
def test_thousands_of_objects_are_drawn_picked_and_edited(visit, served, count, record_property):
    here = visit(served.project(f"grid-{count}", lambda folder: many_objects(folder, count)))
    here.photo()
    here.objects(count)
    here.click(10, 10)
    expect(here.page.get_by_test_id("picked")).to_contain_text("1 object selected")
    paints = here.page.evaluate("""async () => {
        const v = packedScenes.viewer, frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        v.boxes = true; const spent = [];
        for (let k = 0; k < 9; k += 1) { packedScenes.store.group = k; const start = performance.now(); v.draw(); await frame(); await frame(); spent.push(performance.now() - start); }
        return spent.sort((a, b) => a - b);
    }""")  # noqa: E501
    record_property("redraw_ms", paints[4])
    print(f"redraw of {count} objects: median {paints[4]:.0f} ms, worst {paints[-1]:.0f} ms")
    begin = time.monotonic()
    here.page.keyboard.press("Delete")
    here.objects(count - 1)
    print(f"an edit among {count} objects, saved and drawn: {(time.monotonic() - begin) * 1000:.0f} ms")
    here.shot(f"grid-{count}")


def test_the_real_command_opens_the_sample_analysed(browser, tmp_path):
    command = [
        sys.executable,
        str(ROOT / "scripts" / "app.py"),
        "--port",
        "0",
        "--projects",
        str(tmp_path / "projects"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ) as process:
        try:
            address, _, token = process.stdout.readline().removeprefix("open ").strip().partition("/?token=")
            here = Visit(browser, address, token=token, **DESKTOP)
            here.photo()
            assert int(here.canvas.get_attribute("data-objects")) > 50
            here.shot("sample")
            expect(here.page.get_by_test_id("card")).to_contain_text("This is a sample, analysed already")
            colours = "() => Object.fromEntries(packedScenes.store.state.groups.map((g) => [g.c, g.color]))"
            before = here.page.evaluate(colours)
            here.page.locator("#threshold").focus()
            here.page.keyboard.press("ArrowRight")
            here.said("Similarity changed")
            here.page.reload()
            here.photo()
            after = here.page.evaluate(colours)
            both = before.keys() & after.keys()
            assert len(both) > 10
            assert all(before[c] == after[c] for c in both)  # colours stay with identities
            here.close()
        finally:
            process.terminate()
            end = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.1)  # uvicorn closes its connections
            process.kill()


def test_the_questions_of_count_are_the_same_view(browser, tmp_path):
    import numpy as np

    from packed_scenes.counting.answers import Answer, AnswerBook
    from packed_scenes.data.images import write_image
    from packed_scenes.web.server.dialogue import PageDialogue

    names = ["<b>a</b>.png", "b.png"]
    for name, grey in zip(("a.png", "b.png"), (60, 190), strict=True):
        write_image(tmp_path / name, np.full((60, 40, 3), grey, np.uint8))
    with PageDialogue(AnswerBook(names), [tmp_path / "a.png", tmp_path / "b.png"], budget=9) as page:
        given = []
        page.status = "about 12 (8 to 15)"

        def ask():
            given.extend(page.judge(0, 1) for _ in range(2))

        asking = threading.Thread(target=ask)
        asking.start()
        address, _, token = page.address.partition("/?token=")
        here = Visit(browser, address, token=token, **PHONE)
        here.page.get_by_role("heading", name="The same?").wait_for()
        here.page.get_by_text("<b>a</b>.png").wait_for()
        here.narrow()
        here.shot("count-phone")
        here.page.reload()  # the question stays
        here.page.get_by_role("heading", name="The same?").wait_for()
        here.page.get_by_role("button", name="No, different").click()
        expect(here.page.get_by_test_id("review")).to_have_attribute("data-number", "2")
        here.page.get_by_role("heading", name="The same?").wait_for()
        here.page.keyboard.press("y")
        asking.join(60)
        assert given == [Answer.DIFFERENT, Answer.SAME]
        page.finish("about 12")
        here.page.get_by_role("heading", name="Done").wait_for()
        here.close()
