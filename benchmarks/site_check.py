"""Opens every page of the built documentation in Chromium, at the width of a laptop and of a phone, and counts faults.

    make docs
    python benchmarks/site_check.py                  # a table; exit code 1 if anything is wrong
    python benchmarks/site_check.py --list           # and each finding
    python benchmarks/site_check.py --screenshots shots --pages index.html api/WGANGP.html

It opens the pages from `file://`, like somebody who unpacks the site. Needs `playwright` and Chromium:
`pip install -e '.[browser]'`, and `apt install chromium`.
"""

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
WIDTHS = (1280, 390)
BYTES = 500_000

# Runs in the page, and measures its looks.
LOOK = """() => {
  const found = {head: [], cut: [], scrolled: [], errors: [], alt: [], contrast: []};
  const name = (element) => `${element.tagName.toLowerCase()}.${element.className}: ` +
    element.textContent.trim().replace(/\\s+/g, " ").slice(0, 60);
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const width = document.documentElement.clientWidth;
  const content = document.querySelector("article") ?? document.body;

  // What search engines and screen readers ask for.
  const text = document.querySelector("article"), names = text ? ["description", "viewport"] : ["viewport"];
  const described = names.every((name) => document.querySelector(`meta[name=${name}]`)?.content);
  if (!document.title || !document.documentElement.lang || !described) found.head.push("a title, language, ...");
  if (text && document.querySelectorAll("h1").length !== 1) found.head.push("one h1");

  // Cut off: beyond the edge of the screen, or of a box that hides it, with nothing to scroll.
  for (const element of content.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || element.closest(".katex-mathml, [hidden], .md-clipboard")) continue;
    if (element.ownerSVGElement || getComputedStyle(element).position === "absolute") continue;
    let room = width, owner = null;
    for (let parent = element.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
      if (scrolls(parent)) { owner = parent; break; }
      if (getComputedStyle(parent).overflowX === "hidden" && parent.getBoundingClientRect().right < room)
        room = parent.getBoundingClientRect().right;
    }
    if (!owner && box.right > room + 1) found.cut.push(name(element));
  }
  for (const formula of content.querySelectorAll("div.arithmatex, .doc .language-text > pre > code"))
    if (formula.scrollWidth > formula.clientWidth + 1) found.scrolled.push(name(formula));

  for (const error of content.querySelectorAll(".katex-error")) found.errors.push(name(error));
  for (const formula of content.querySelectorAll(".arithmatex"))
    if (!formula.querySelector(".katex")) found.errors.push(`not typeset: ${name(formula)}`);
  for (const quote of content.querySelectorAll("blockquote blockquote")) found.errors.push(`quoted: ${name(quote)}`);
  for (const image of document.images)
    if (!image.alt.trim() || !image.complete || !image.naturalWidth) found.alt.push(image.src);

  // Contrast by WCAG 2: 4.5, or 3 for large text. Backgrounds are those of the nearest box that has one.
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const colors = new Map();
  const rgba = (color) => {
    if (!colors.has(color)) colors.set(color, read(color));
    return colors.get(color);
  };
  const read = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [r2, g2, b2]) => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
  const luminance = (color) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = color.slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    const layers = [];
    for (let parent = element; parent; parent = parent.parentElement) {
      const color = rgba(getComputedStyle(parent).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (!own || !box.width || !box.height || style.visibility === "hidden" || style.opacity === "0") continue;
    if (element.closest(".katex-mathml, .headerlink, [hidden]")) continue;
    const behind = background(element);
    const light = [luminance(over(rgba(style.color), behind)), luminance(behind)].sort((a, b) => b - a);
    const ratio = (light[0] + 0.05) / (light[1] + 0.05);
    const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < least) found.contrast.push(`${ratio.toFixed(2)} ${name(element)}`);
  }
  return found;
}"""

WORDS = {
    "head": "pages without a title, language, description or one h1",
    "cut": "blocks that are cut off",
    "scrolled": "formulas that are wider than their box",
    "errors": "formulas that are not typeset, examples shown as quotes",
    "alt": "pictures without words, or missing",
    "contrast": "texts with too little contrast",
    "requests": "requests to other servers",
    "console": "errors of the console",
    "links": "links to nothing",
    "search": "searches without an answer",
    "bytes": f"pages of more than {BYTES:,} bytes",
}


def main(arguments=None):
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=ROOT / "site", help="the built site")
    parser.add_argument("--pages", nargs="*", help="these pages only")
    parser.add_argument("--dark", action="store_true", help="in the dark colours")
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures of the pages")
    parser.add_argument("--list", action="store_true", help="print each finding")
    options = parser.parse_args(arguments)
    site = options.site.resolve()
    # 404.html is for servers: its links begin at their root.
    pages = options.pages or sorted({path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"})
    found = {kind: set() for kind in WORDS}
    # The pages of `explore/` hold models.
    texts = [page for page in pages if not page.startswith("explore/")]
    found["bytes"] = {page for page in texts if (site / page).stat().st_size > BYTES}
    anchors, links = {}, set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        tab = browser.new_context(color_scheme="dark" if options.dark else "light").new_page()
        for page in pages:
            look(tab, site, page, found, anchors, links, options.screenshots)
        found["search"] |= search(browser, site)
        browser.close()
    found["links"] = broken(site, links, anchors)
    for kind, words in WORDS.items():
        print(f"{words:<58}{len(found[kind]):>6}")
        if options.list:
            print(*(f"    {finding}" for finding in sorted(found[kind])), sep="\n", end="\n" if found[kind] else "")
    print(f"{len(pages)} pages, {len(links):,} links, at {' and '.join(map(str, WIDTHS))} pixels")
    return int(any(found.values()))


def look(tab, site, page, found, anchors, links, screenshots):
    """Opens a page and notes its faults."""

    def on_request(request):
        if urlsplit(request.url).scheme not in ("file", "data", "blob"):
            found["requests"].add(f"{page}: {request.url}")

    def on_console(message):
        if message.type == "error":
            found["console"].add(f"{page}: {message.text}")

    def on_error(error):
        found["console"].add(f"{page}: {error}")

    events = {"request": on_request, "console": on_console, "pageerror": on_error}
    for event, handler in events.items():
        tab.on(event, handler)
    tab.set_viewport_size({"width": WIDTHS[0], "height": 900})
    tab.goto((site / page).as_uri())
    # Pictures below the screen load when somebody looks at them.
    tab.evaluate("for (const image of document.images) image.loading = 'eager'")
    tab.wait_for_function("[...document.images].every((image) => image.complete)", timeout=10_000)
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        # Wait for the fonts, and for a frame in which formulas were fitted to the width.
        tab.evaluate(
            "document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))"
        )
        for kind, findings in tab.evaluate(LOOK).items():
            found[kind].update(f"{page} ({width}): {finding}" for finding in findings)
        if screenshots:
            screenshots.mkdir(parents=True, exist_ok=True)
            tab.screenshot(path=screenshots / f"{page.replace('/', '_')}_{width}.png")
    anchors[page] = set(tab.evaluate("[...document.querySelectorAll('[id], a[name]')].map((e) => e.id || e.name)"))
    links.update((page, link) for link in tab.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)"))
    for event, handler in events.items():
        tab.remove_listener(event, handler)


def broken(site, links, anchors):
    """Links within the site without a file or anchor. It does not follow links to other servers."""
    found = set()
    for page, link in links:
        parts = urlsplit(link)
        if parts.scheme != "file":
            continue
        path = Path(unquote(parts.path))
        if not path.is_file() or not path.is_relative_to(site):
            found.add(f"{page}: {link}")
            continue
        target, anchor = path.relative_to(site).as_posix(), unquote(parts.fragment)
        if anchor and target in anchors and anchor not in anchors[target]:
            found.add(f"{page}: {target}#{anchor}")
    return found


def search(browser, site):
    """Words that the search must find but does not."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    missing = set()
    for words in ("WGANGP", "gradient penalty", "frechet_distance"):
        tab.goto((site / "index.html").as_uri())
        tab.click("input.md-search__input")
        tab.keyboard.type(words)
        try:
            tab.wait_for_selector(".md-search-result__item a", timeout=10_000)
        except Exception as error:
            missing.add(f"{words}: {error}")
    tab.close()
    return missing


def chromium():
    """The path of a Chromium, or `None` for Playwright's Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


if __name__ == "__main__":
    sys.exit(main())
