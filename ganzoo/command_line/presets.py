"""What `python -m ganzoo presets` does."""

from ganzoo.presets import library


def run(options):
    """Prints the presets that come with ganzoo, as a table."""
    found = library.list_presets()
    print(found)
    if found:
        print("\nIn Python: ganzoo.from_preset(NAME). Here: ganzoo generate --preset NAME --output new.png")
