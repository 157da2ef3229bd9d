"""Puts the pieces of a record's text on a page: every piece escaped, no space added between them."""

from collections.abc import Iterable

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from datasets.shown_record import Segment, entity_words

register = template.Library()


@register.simple_tag
def record_text(segments: Iterable[Segment]) -> SafeString:
    """The segments in order; findings as ``<mark>`` with what was found and how sure the detector was."""
    return format_html_join("", "{}", ((_piece(segment),) for segment in segments))


def _piece(segment: Segment) -> SafeString:
    if not segment.entity_type:
        return conditional_escape(str(segment.text))
    return format_html(
        '<mark class="finding" tabindex="0" title="{}"><span class="finding-text">{}</span>'
        '<span class="finding-kind">{}</span></mark>',
        segment.note,
        segment.text,
        entity_words(segment.entity_type),
    )
