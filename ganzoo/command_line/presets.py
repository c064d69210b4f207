"""The command `ganzoo presets`."""

from pathlib import Path

from ganzoo import files
from ganzoo.presets import folder, gallery, library
from ganzoo.presets.shelf import ZOO, names


def run(options):
    """Prints a table of the presets that come with ganzoo, or writes their gallery."""
    if options.gallery is None:
        print(library.list_presets())
        print("\nIn Python: ganzoo.from_preset(NAME). Here: ganzoo generate --preset NAME --output new.png")
        return
    page = gallery.page([(name, ZOO / name, folder.read_metadata(ZOO / name)) for name in names()])
    with files.replacing(options.gallery) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(
        f"Wrote {len(names())} preset(s) to {options.gallery}. In a browser: {Path(options.gallery).resolve().as_uri()}"
    )
