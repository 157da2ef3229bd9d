"""Puts a text with its changed words on a page: every piece escaped, no space added between them."""

from collections.abc import Iterable

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from datasets.word_diff import Piece

register = template.Library()


@register.simple_tag
def removed_words(pieces: Iterable[Piece]) -> SafeString:
    """A text as it was, what is no longer there as ``<del>``."""
    return format_html_join("", "{}", ((_piece(piece, "<del>{}</del>"),) for piece in pieces))


@register.simple_tag
def added_words(pieces: Iterable[Piece]) -> SafeString:
    """A text as it is, what was not there as ``<ins>``."""
    return format_html_join("", "{}", ((_piece(piece, "<ins>{}</ins>"),) for piece in pieces))


def _piece(piece: Piece, marked: str) -> SafeString:
    return format_html(marked, piece.text) if piece.is_changed else conditional_escape(str(piece.text))
