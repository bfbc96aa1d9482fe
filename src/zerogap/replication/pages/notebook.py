"""Executed notebooks as HTML that loads nothing: formulas are MathML, and no script is left."""

from typing import Any

from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from zerogap.replication.pages.formulas import mathml

# The template of nbconvert without what it loads: require.js, MathJax, mermaid.
_TEMPLATE = """{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return mathml(body, display=True)


class Offline(HTMLExporter):
    """nbconvert's HTML, whole in one file."""

    raw_template = _TEMPLATE

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        renderer = _Renderer(escape=False, anchor_link_text=self.anchor_link_text)
        return MarkdownWithMath(renderer=renderer).render(source)
