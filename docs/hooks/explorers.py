"""MkDocs: pages that are models, for the gallery.

`python benchmarks/presets.py gallery` writes what is in each page to docs/explore. Here it becomes a page, with the
scripts as they are now, and all pages share one file with the runtime. Nothing of this needs ganzoo to be installed.
"""

import importlib.util
import json
from pathlib import Path

from mkdocs.structure.files import File

BLOCKS = Path(__file__).parent.parent.parent / "ganzoo" / "export" / "page" / "blocks.py"


def on_files(files, config):
    """Replaces the files of docs/explore by the pages."""
    spec = importlib.util.spec_from_file_location("blocks", BLOCKS)
    blocks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(blocks)
    for file in [file for file in files if file.src_uri.startswith("explore/") and file.src_uri.endswith(".json")]:
        files.remove(file)
        page = blocks.document(**json.loads(file.content_string)["page"], is_shared=True)
        files.append(File.generated(config, file.src_uri.removesuffix("json") + "html", content=page))
    files.append(File.generated(config, f"explore/{blocks.SHARED}", content=blocks.shared_runtime()))
    return files
