"""Self-contained HTML pages."""

import html

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; image-rendering: pixelated; background: #fff; }
section { border-top: 1px solid GrayText; padding: 1rem 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; }
figure { margin: 0 0 1rem; }
figcaption, th { color: GrayText; font-weight: normal; text-align: left; }
th, td { padding: .1rem 1rem .1rem 0; vertical-align: top; text-align: left; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
"""


def document(title, body):
    """A complete HTML page.

    Args:
        title: String.
        body: String of HTML.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def figure(source, words):
    """A picture with a caption, which is also its alternative text.

    Args:
        source: String, the address of the picture.
        words: String, the caption.
    """
    words = html.escape(words)
    return f'<figure><img src="{html.escape(source)}" alt="{words}"><figcaption>{words}</figcaption></figure>'


def table(rows):
    """A table with rows of strings. The first string of each row is its title."""
    lines = ([html.escape(str(cell)) for cell in row] for row in rows)
    inner = "".join(
        f"<tr><th>{first}</th>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>" for first, *rest in lines
    )
    return f"<table>{inner}</table>"
