"""A notebook of the run, executed, and as a page."""

from pathlib import Path

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

from zerogap.model.files import replacing
from zerogap.replication.pages.notebook import Offline


def run(source: Path, output: Path, page: Path) -> int:
    """Execute a notebook; write it, and as HTML. Its cells read the environment of this process."""
    notebook = nbformat.read(source, as_version=nbformat.NO_CONVERT)
    resources = {"metadata": {"path": str(source.parent), "name": source.stem}}
    execution = ExecutePreprocessor(timeout=None, record_timing=False, coalesce_streams=True)
    execution.preprocess(notebook, resources)
    text, _ = Offline().from_notebook_node(notebook, resources)
    with replacing(output) as temporary, replacing(page) as drawn:
        nbformat.write(notebook, temporary)
        drawn.write_text(text, encoding="utf-8")
    return 1
