"""The page in a real Chromium: what it shows is what the files of the runs say."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intarsia import Samples
from intarsia.explorer import attributing
from intarsia.explorer.export import export_static
from intarsia.explorer.library import Library
from intarsia.provenance import class_map, image_map, pool_map, step_map
from tests.cli.command import arrays
from tests.explorer.browser import data_of, executable, hover, pixels, screenshot
from tests.explorer.conftest import Site

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
if executable() is None:
    pytest.skip("needs Chromium: apt-get install chromium", allow_module_level=True)

SIZE = (8, 8)
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, site: Site) -> Iterator[Open]:
    """Open an address of the site; at the end, the page must have complained of nothing."""
    contexts, complaints = [], []

    def opened(where: str = "", *, width: int = 1280, scheme: str = "light", url: str = "") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto((url or site.url) + where)
        page.wait_for_selector("main h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def panel(page: Any, row: int, col: int) -> Any:
    """The panel, once it speaks of a pixel."""
    found = page.locator(f'.panel[data-row="{row}"][data-col="{col}"]')
    found.wait_for()
    return found


def test_the_gallery_shows_sorts_and_filters_all_samples(open_page: Open, runs: Path) -> None:
    page = open_page()
    for name, n in (("full", 6), ("near", 6), ("plain", 2), ("scores", 2)):
        section = page.locator(f'.run[data-run="{name}"]')
        section.wait_for()
        assert section.locator(".tile").count() == n
    page.get_by_role("combobox", name="Run", exact=True).select_option("near")
    page.get_by_role("combobox", name="Sort by", exact=True).select_option("top_share")
    page.get_by_role("combobox", name="Order", exact=True).select_option("down")
    sync_api.expect(page.locator(".run")).to_have_count(1)
    links = page.locator(".run .card")
    order = [int(links.nth(i).get_attribute("href").split("/")[-1]) for i in range(6)]
    sources = arrays(runs / "near" / "sources.npz")
    shares = []
    for index in order:
        drawn = sources["image"][index][sources["step"][index] >= 0]
        shares.append(np.unique(drawn, return_counts=True)[1].max() / drawn.size)
    assert shares == sorted(shares, reverse=True)
    page.get_by_role("spinbutton", name="At least", exact=True).fill(str(100 * (shares[2] - 1e-6)))
    kept = len([share for share in shares if share >= shares[2]])
    assert kept < 6
    sync_api.expect(page.locator(".run .tile")).to_have_count(kept)


@pytest.mark.parametrize("run", ["near", "full", "scores"])
def test_hovering_names_the_source_of_sources_npz(run: str, open_page: Open, runs: Path) -> None:
    sources = arrays(runs / run / "sources.npz")
    page = open_page(f"#/run/{run}/1")
    for row, col in np.random.default_rng(0).integers(0, 8, (12, 2)).tolist():
        hover(page, row, col, SIZE)
        found = panel(page, row, col).locator(".source-row")
        wanted = tuple(int(sources[name][1, row, col]) for name in ("image", "row", "col"))
        assert data_of(found, "image", "row", "col") == wanted
        canvas = found.locator("canvas")
        assert canvas.count() == 1, "the training picture itself is there"


def test_hovering_shows_the_pool_of_pools_npz(open_page: Open, runs: Path) -> None:
    pools = arrays(runs / "near" / "pools.npz")
    page = open_page("#/run/near/2")
    entries = np.flatnonzero(pools["sample"] == 2)
    largest = entries[np.argsort(-pools["count"][entries])[:3]]
    for entry in [*largest, *entries[::12]]:
        row, col = int(pools["row"][entry]), int(pools["col"][entry])
        hover(page, row, col, SIZE)
        shown = panel(page, row, col)
        everything = shown.get_by_role("button", name="Show all")
        if everything.count():
            everything.click()
        count = int(pools["count"][entry])
        sync_api.expect(shown.locator(".candidates li")).to_have_count(count)
        items = shown.locator(".candidates li").all()
        names = ("image", "row", "col", "distance")
        found = [data_of(item, *names) for item in items]
        members = slice(pools["start"][entry], pools["start"][entry] + count)
        keys = ("source_image", "source_row", "source_col", "distance")
        wanted = sorted(zip(*(pools[key][members].tolist() for key in keys), strict=True))
        assert sorted(found) == wanted
        assert [one[3] for one in found] == sorted(one[3] for one in found)
        assert shown.locator(".candidates .chosen").count() == 1
        sync_api.expect(shown.locator(".candidates canvas")).to_have_count(count)


def test_keys_move_and_pin_and_let_go(open_page: Open) -> None:
    page = open_page("#/run/near/0")
    page.locator(".pointable").focus()
    panel(page, 4, 4)
    for key, place in (("ArrowUp", (3, 4)), ("ArrowLeft", (3, 3)), ("ArrowDown", (4, 3))):
        page.keyboard.press(key)
        panel(page, *place)
    assert "Row 4, column 3" in page.locator("#spoken").inner_text()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".pin")).to_be_visible()
    hover(page, 0, 0, SIZE)
    panel(page, 4, 3)
    page.keyboard.press("Escape")
    sync_api.expect(page.locator(".pin")).to_be_hidden()
    hover(page, 0, 1, SIZE)
    panel(page, 0, 1)
    page.mouse.down()
    page.mouse.up()
    sync_api.expect(page.locator(".pin")).to_be_visible()


def test_maps_and_the_growth_are_painted_as_the_files_say(open_page: Open, runs: Path) -> None:
    saved = Samples.load(runs / "full")[3]
    page = open_page("#/run/full/3")
    picture = np.repeat(saved.images[0], 3, axis=-1)
    np.testing.assert_array_equal(pixels(page), picture)
    maps = {"Source image": image_map, "Class": class_map, "Order": step_map, "Pool size": pool_map}
    for words, painted in maps.items():
        page.get_by_text(words, exact=True).click()
        np.testing.assert_array_equal(pixels(page), painted(saved.sources)[0])
    page.get_by_text("Class", exact=True).click()
    assert page.locator(".legend .swatch").count() == len(np.unique(saved.sources.label))
    page.get_by_text("Picture", exact=True).click()
    step = saved.sources.step[0]
    slider = page.get_by_role("slider")
    for moment in (0, 17, int(step.max()) + 1):
        slider.fill(str(moment))
        shown = pixels(page)
        np.testing.assert_array_equal(shown[step < moment], picture[step < moment])
        left = shown[step >= moment]
        assert np.isin(left, (150, 162)).all()
    slider.fill("0")
    page.get_by_role("button", name="Play").click()
    sync_api.expect(slider).not_to_have_value("0")
    page.get_by_role("button", name="Pause").click()


def test_the_reverse_steps_are_those_of_steps_npz(open_page: Open, runs: Path) -> None:
    steps = arrays(runs / "scores" / "steps.npz")
    page = open_page("#/run/scores/1")
    slider = page.get_by_role("slider")
    hover(page, 3, 5, SIZE)
    for moment in (0, 2):
        slider.fill(str(moment))
        wanted = np.rint((np.clip(steps["x"][1, moment, 0], -1, 1) + 1) * 127.5)
        np.testing.assert_array_equal(pixels(page)[..., 0], wanted)
        found = panel(page, 3, 5)
        weight = steps["weight"][1, moment, 3, 5]
        words = f"{100 * weight:.{1 if weight < 0.1 else 0}f} %"
        sync_api.expect(found.locator(".belief")).to_contain_text(words)
        names = ("image", "row", "col")
        wanted_source = tuple(int(steps[name][1, moment, 3, 5]) for name in names)
        assert data_of(found.locator(".source-row"), *names) == wanted_source
    hover(page, 6, 1, SIZE)
    assert data_of(panel(page, 6, 1).locator(".source-row"), *names) == tuple(
        int(steps[name][1, 2, 6, 1]) for name in names
    )
    page.get_by_text("Clean estimate").click()
    clean = np.rint((np.clip(steps["clean"][1, 2, 0], -1, 1) + 1) * 127.5)
    np.testing.assert_array_equal(pixels(page)[..., 0], clean)


def test_a_training_picture_leads_to_every_sample_that_used_it(open_page: Open, runs: Path) -> None:
    sources = {name: arrays(runs / name / "sources.npz")["image"] for name in ("near", "full")}
    page = open_page("#/run/near/0")
    page.locator(".uses").get_by_text("Other samples").first.click()
    page.wait_for_selector(".training-page")
    number = int(page.url.split("/")[-1])
    wanted = {
        (name, index)
        for name, image in sources.items()
        for index in range(6)
        if (image[index] == number).any()
    }
    links = [link.get_attribute("href").split("/")[-2:] for link in page.locator(".card").all()]
    assert {(name, int(index)) for name, index in links} == wanted


def test_two_runs_on_the_same_seed_are_pointed_at_together(open_page: Open, runs: Path) -> None:
    page = open_page("#/compare/near/full/4")
    page.wait_for_selector(".side")
    hover(page, 1, 6, SIZE)
    for side, name in enumerate(("near", "full")):
        box = page.locator(".panel").nth(side)
        sync_api.expect(box).to_have_attribute("data-row", "1")
        sync_api.expect(box).to_have_attribute("data-col", "6")
        sources = arrays(runs / name / "sources.npz")
        wanted = tuple(int(sources[key][4, 1, 6]) for key in ("image", "row", "col"))
        assert data_of(box.locator(".source-row"), "image", "row", "col") == wanted
    assert page.locator(".side .hint").count() == 0
    screenshot(page, "compare")


def test_drawing_from_the_page_shows_progress_and_leads_to_the_run(open_page: Open) -> None:
    page = open_page("#/make")
    page.get_by_role("combobox", name="Principles", exact=True).select_option("NS+L")
    page.get_by_role("spinbutton", name="Samples", exact=True).fill("2")
    page.get_by_role("spinbutton", name="Seed", exact=True).fill("41")
    page.get_by_role("button", name="Draw").click()
    job = page.locator(".job").first
    sync_api.expect(job).to_have_attribute("data-state", "done", timeout=20_000)
    job.get_by_role("link", name="Open").click()
    page.wait_for_selector(".sample-page")
    assert "nps NS+L" in page.locator(".facts").first.inner_text()


def test_drawing_is_cancelled_from_the_page(open_page: Open, site: Site) -> None:
    page = open_page("#/make")
    page.get_by_role("combobox", name="Principles", exact=True).select_option("L")
    page.get_by_role("spinbutton", name="Samples", exact=True).fill("16")
    page.get_by_role("spinbutton", name="Seed", exact=True).fill("78")
    page.get_by_role("button", name="Draw").click()
    job = page.locator(".job").first
    job.get_by_role("button", name="Cancel").click()
    sync_api.expect(job).to_have_attribute("data-state", "cancelled", timeout=20_000)
    assert not list(site.out.glob("*-78*"))


DROP = """([bytes, name, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  document.querySelector(".drop").dispatchEvent(
    new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_a_dropped_picture_is_attributed(open_page: Open, runs: Path) -> None:
    page = open_page("#/make")
    from intarsia import Corpus
    from intarsia.files import png_bytes

    copied = np.asarray(Corpus.open("digits")[123])
    page.evaluate(DROP, [list(png_bytes(copied)), "copy.png", "image/png"])
    job = page.locator(".job").first
    sync_api.expect(job).to_have_attribute("data-state", "done", timeout=180_000)  # compiles first
    job.get_by_role("link", name="Open").click()
    page.wait_for_selector(".sample-page")
    hover(page, 2, 3, SIZE)
    found = panel(page, 2, 3).locator(".source-row")
    assert data_of(found, "image", "row", "col") == (123, 2, 3)
    assert panel(page, 2, 3).locator(".candidates li").count() == attributing.CANDIDATES
    screenshot(page, "attributed")


def test_a_dropped_file_that_is_no_picture_is_refused_in_words(open_page: Open) -> None:
    page = open_page("#/make")
    page.evaluate(DROP, [[1, 2, 3], "notes.txt", "text/plain"])
    sync_api.expect(page.locator(".fault")).to_contain_text("neither PNG, JPEG nor WebP")


@pytest.fixture(scope="module")
def static(shelf: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An export behind a plain file server."""
    folder = tmp_path_factory.mktemp("static")
    export_static(shelf, folder, say=lambda line: None)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_exported_files_show_the_same(open_page: Open, static: str, runs: Path) -> None:
    page = open_page("#/run/near/2", url=static)
    assert page.get_by_role("link", name="Try it").count() == 0
    sources, pools = (arrays(runs / "near" / f"{name}.npz") for name in ("sources", "pools"))
    entry = np.flatnonzero((pools["sample"] == 2) & (pools["count"] > 1))[0]
    row, col = int(pools["row"][entry]), int(pools["col"][entry])
    hover(page, row, col, SIZE)
    shown = panel(page, row, col)
    wanted = tuple(int(sources[name][2, row, col]) for name in ("image", "row", "col"))
    assert data_of(shown.locator(".source-row"), "image", "row", "col") == wanted
    assert shown.locator(".candidates canvas").count() == min(24, pools["count"][entry])
    page.get_by_text("Every sample that used it").click()
    page.wait_for_selector(".training-page canvas")


def test_a_notebook_shows_the_viewer_in_its_frame(
    open_page: Open, runs: Path, tmp_path: Path
) -> None:
    from intarsia import Corpus

    samples = Samples.load(runs / "near", corpus=Corpus.open("digits"))
    cell = tmp_path / "cell.html"
    cell.write_text(f"<!doctype html><main><h1>A cell</h1></main>{samples.explore()._repr_html_()}")
    page = open_page(url=cell.as_uri())
    inside = page.frame_locator("iframe")
    inside.locator(".card").nth(3).click()
    inside.locator(".pointable").focus()
    page.keyboard.press("ArrowUp")
    found = inside.locator('.panel[data-row="3"][data-col="4"] .source-row')
    found.wait_for()
    wanted = tuple(int(getattr(samples.sources, key)[3, 3, 4]) for key in ("image", "row", "col"))
    assert data_of(found, "image", "row", "col") == wanted
    assert found.locator("canvas").count() == 1


VIEWS = {
    "gallery": "#/",
    "sample": "#/run/near/2",
    "steps": "#/run/scores/0",
    "comparison": "#/compare/near/full/1",
    "training": "#/picture/near/0",
    "workshop": "#/make",
}


@pytest.mark.parametrize(
    ("width", "scheme", "views"),
    [(1280, "light", tuple(VIEWS)), (390, "dark", ("gallery", "sample", "workshop"))],
)
def test_no_view_has_a_serious_fault_of_accessibility_or_overflows(
    width: int, scheme: str, views: tuple[str, ...], open_page: Open
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for name in views:
        page = open_page(VIEWS[name], width=width, scheme=scheme)
        page.wait_for_selector("main:not([aria-busy])")
        faults = [
            (fault["id"], node["html"])
            for fault in axe.run(page, options={"resultTypes": ["violations"]}).response[
                "violations"
            ]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]
        assert faults == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        screenshot(page, f"{name}-{width}-{scheme}")
        page.context.close()


def test_an_unknown_run_is_explained(chromium: Any, site: Site) -> None:
    page = chromium.new_page()
    page.goto(f"{site.url}#/run/nobody/0")
    sync_api.expect(page.locator(".fault")).to_contain_text("no run called 'nobody'")
    page.close()
