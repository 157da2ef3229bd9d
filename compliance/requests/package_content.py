"""What lies in a package: the records as JSON for programs, and as a page and a PDF that anybody can read and print."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
from django.template.loader import render_to_string
from django.utils.dateformat import format as date_format

from compliance.models import RequestPackage, SubjectRequest
from compliance.requests.package_pdf import package_pdf

JSON_NAME: Final = "data.json"
PAGE_NAME: Final = "your-data.html"
PDF_NAME: Final = "your-data.pdf"
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_DAY: Final = "j F Y"
_MOMENT: Final = "j F Y, H:i"
#: The layout of ``data.json``; another layout gets another number.
FORMAT: Final = 2


@dataclass(frozen=True)
class Place:
    """A branch, and the version that it stood at."""

    branch: str
    version: str


@dataclass(frozen=True)
class Standing:
    """A record as it is, with ``id``, ``data`` and ``metadata``, and where it is so."""

    record: dict[str, Any]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Collected:
    """The subject's records of one dataset: ``branches`` were read; ``missing`` ids stand on none of them."""

    name: str
    branches: Sequence[Place]
    records: Sequence[Standing]
    missing: int

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "branches": [asdict(one) for one in self.branches],
            "records": [one.record | {"stands_in": [asdict(place) for place in one.places]} for one in self.records],
            "on_no_branch": self.missing,
        }


def build_archive(
    request: SubjectRequest,
    package: RequestPackage,
    organization: str,
    collected: Sequence[Collected],
    elsewhere: Mapping[str, int],
) -> bytes:
    """The ZIP archive: the same bytes for the same records, whichever worker makes it.

    ``elsewhere`` says in how many places beside records something of the subject is, by kind.
    """
    about = {
        "format": FORMAT,
        "reference": request.reference,
        "request": request.type,
        "law": request.law,
        "organization": organization,
        "received_at": request.received_at.isoformat(),
        "collected_for": package.created_at.isoformat(),
        "legal_basis": request.legal_basis or None,
    }
    said = about | {"datasets": [one.as_json() for one in collected], "elsewhere": dict(elsewhere)}
    readable: dict[str, Any] = {
        "datasets": [
            {"name": one.name, "records": list(map(_readable, one.records)), "missing": _missing(one.missing)}
            for one in collected
        ],
        "elsewhere": sorted(elsewhere.items()),
    }
    words = _words(request, package, organization, sum(len(one.records) for one in collected), len(collected))
    page = render_to_string("vault/subject_package.html", {"said": words} | readable)
    members = [(JSON_NAME, orjson.dumps(said, option=orjson.OPT_INDENT_2)), (PAGE_NAME, page.encode())]
    if pdf := package_pdf({"organization": organization, "reference": request.reference} | words, **readable):
        members.append((PDF_NAME, pdf))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name, _DATE), body, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _words(
    request: SubjectRequest, package: RequestPackage, organization: str, records: int, datasets: int
) -> dict[str, str]:
    """The sentences of the page and of the PDF."""
    basis = f" and are held on the basis of {request.get_legal_basis_display()}" if request.legal_basis else ""
    return {
        "title": f"Your data at {organization}",
        "answer": (
            f"This is the answer to your request {request.reference} for {request.get_type_display()} under the "
            f"{request.get_law_display()}, received on {date_format(request.received_at, _DAY)}. The data were "
            f"collected as they stood on {date_format(package.created_at, _MOMENT)} UTC{basis}. The file {JSON_NAME} "
            "beside this one holds the same for programs."
        ),
        "counted": f"{_several(records, 'record')} in {_several(datasets, 'dataset')}.",
    }


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _readable(one: Standing) -> dict[str, Any]:
    """A record as lines of a path and a value, and where it stands in words."""
    lines = [*_lines("", one.record["data"]), *_lines("metadata", one.record["metadata"])]
    where = ", ".join(f"{place.branch} ({place.version})" for place in one.places)
    return {"id": one.record["id"], "lines": lines, "where": f"Stands on {where}."}


def _missing(count: int) -> str:
    if not count:
        return ""
    return f"On no branch any more: {_several(count, 'record')} of yours. Earlier versions may hold them still."


def _lines(path: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _lines(f"{path} / {name}" if path else str(name), inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _lines(f"{path} {number}", inner)
    else:
        yield path, value if isinstance(value, str) else orjson.dumps(value).decode()
