"""HTML with scripts and data inside, that nothing foreign can run in.

The documentation's build reads this file where neither TensorFlow nor ganzoo is installed: it imports Python's own
modules only.
"""

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path

WEB, RUNTIME = Path(__file__).parent / "web", Path(__file__).parent / "runtime"

# In this order they are one script.
SCRIPTS = ("numbers.js", "model.js", "explore.js", "drawing.js", "start.js")

VERSION = "1.30.0"
SHARED = f"onnxruntime-web-{VERSION}.js"  # What pages of a folder share. Another version is another file.


def text(path):
    """The text of a file of this package."""
    return path.read_text(encoding="utf-8")


def runtime():
    """ONNX Runtime Web as a script that sets `globalThis.ort`: a script inside of a page can export nothing.

    It makes a URL with `location.origin`, which is "null" for files in Firefox, and then stops. Without a `location` it
    takes its own address.
    """
    source = text(RUNTIME / "ort.wasm.bundle.min.mjs").partition("\n//# sourceMappingURL")[0]
    before, names = re.fullmatch(r"(.*)export\{([^{}]*)\};?\s*", source, re.DOTALL).groups()
    pairs = (name.split(" as ") for name in names.split(","))
    return f"const location=void 0;{before}globalThis.ort={{{','.join(f'{public}:{own}' for own, public in pairs)}}};"


def shared_runtime():
    """The text of the file `SHARED`: the runtime for all pages beside it.

    Such a page is opened as a file too, and of files a browser loads no modules. So this is no module, and the address
    of the page stands for that of the module.
    """
    engine = runtime().replace("import.meta.url", "document.baseURI")
    licence = text(RUNTIME / "LICENSE").strip().replace("*/", "* /")
    return "\n".join(
        [
            f"/* ONNX Runtime Web {VERSION}, for the pages that ganzoo wrote beside this file.\n\n{licence}\n*/",
            f'(() => {{"use strict";{engine}}})();',
            f'document.getElementById("runtime").textContent = "{wasm()}";',
            "",
        ]
    )


def packed(content):
    """Bytes as text: gzip, the same each time, and base64."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def wasm():
    """The runtime's WebAssembly as text; the file is compressed already."""
    return base64.b64encode((RUNTIME / "ort-wasm-simd-threaded.wasm.gz").read_bytes()).decode()


def data(name, content):
    """A block of data, which no browser runs."""
    return f'<script type="application/octet-stream" id="{name}">{content}</script>'


def settings(values):
    """JSON that a browser cannot take for HTML, whatever strings are in it."""
    content = json.dumps(values, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" id="settings">{content}</script>'


def table(facts):
    """A table of a dictionary of strings."""
    rows = (
        f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(fact))}</td></tr>" for name, fact in facts.items()
    )
    return f"<table>{''.join(rows)}</table>"


def policy(scripts, style, is_shared):
    """A Content-Security-Policy: these scripts and this style, and no address at all, but that of a shared runtime."""
    allowed = " ".join([*map(digest, scripts), *(["'self'", "file:"] if is_shared else [])])
    return (
        f"default-src 'none'; script-src {allowed} 'wasm-unsafe-eval'; style-src {digest(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def digest(content):
    """The hash of a script, as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def document(title, summary, facts, values, blocks, training_count, is_shared=False):
    """A whole page.

    Args:
        title, summary: Strings.
        facts: Dictionary of strings, the card.
        values: JSON values, the settings of the scripts.
        blocks: Dictionary, name -> what `packed` returned.
        training_count: Integer, how many training images are inside.
        is_shared: Boolean, whether the runtime is the file `SHARED` beside the page. Defaults to `False`.
    """
    style, boot = text(WEB / "page.css"), text(WEB / "boot.js")
    engine = [] if is_shared else [runtime()]
    script = "\n".join(text(WEB / name) for name in SCRIPTS)
    filled = {
        "title": html.escape(title),
        "summary": html.escape(summary),
        "boot": boot,
        "card": table(facts),
        "training_count": f"{training_count:,}",
        "version": VERSION,
        "licence": html.escape(text(RUNTIME / "LICENSE")),
    }
    allowed = policy([boot, *engine, script], style, is_shared)
    # In one pass: no `$name` within a title is filled in.
    body = re.sub(r"\$([a-z_]+)\b", lambda found: filled[found[1]], text(WEB / "page.html"))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            body,
            settings(values),
            *(data(name, content) for name, content in blocks.items()),
            data("runtime", "" if is_shared else wasm()),
            *(f'<script type="module">{part}</script>' for part in engine),
            *([f'<script src="{SHARED}"></script>'] if is_shared else []),
            f'<script type="module">{script}</script>',
            '<i id="end" hidden></i>',
            "</body>",
            "</html>",
            "",
        ]
    )
