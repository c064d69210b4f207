"""One HTML file that is the model: it draws samples in a browser, without a server and without a network."""

from ganzoo.export.page.writing import contents as contents
from ganzoo.export.page.writing import export as export
