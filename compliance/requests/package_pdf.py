"""A subject's data as an accessible PDF, where it can be set as one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from compliance.errors.reports import ReportNotRendered
from compliance.reports.pdf import render_accessible

#: Bytes of JSON that are set; more of it would be hundreds of pages that nobody turns.
MAX_BYTES: Final = 8 * 1024 * 1024
_TEMPLATE: Final = Path(__file__).with_name("package.typ")


def package_pdf(
    said: Mapping[str, str], datasets: Sequence[Mapping[str, Any]], elsewhere: Sequence[tuple[str, int]]
) -> bytes | None:
    """PDF/UA-1; None where there is too much, or a letter that the fonts do not have: the page has every letter.

    ``said`` are the sentences and names of the template, ``datasets`` have ``name``, ``records`` and the sentence
    ``missing``; records have ``id``, ``lines`` of a name and a value, and the sentence ``where``.
    """
    data = orjson.dumps({**said, "datasets": list(datasets), "elsewhere": list(elsewhere)})
    if len(data) > MAX_BYTES:
        return None
    try:
        return render_accessible(data, _TEMPLATE)
    except ReportNotRendered:
        return None
