"""What the notebooks share."""

from IPython.display import HTML
from pandas.io.formats.style import Styler


def shown(styler: Styler, name: str) -> HTML:
    """A styled table as HTML that depends on its contents only.

    name: the table's id on the page, which would be random, as would be its text beside the HTML.
    """
    return HTML(styler.to_html(table_uuid=name))
