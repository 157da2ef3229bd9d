"""The report on what is processed why, for whom and for how long: both records of GDPR Art. 30."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count

from compliance.register.art30 import controller_facts, processor_facts
from compliance.register.transfers import MISSING
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from datasets.models import Export, GuaranteedExport

_COLUMNS: Final = (
    *("article", "entry", "name", "description", "lawful_basis", "special_condition", "categories_of_people"),
    *("categories_of_data", "datasets", "recipients", "transfers", "time_limits", "exports_in_period"),
    *("to_be_completed", "is_complete"),
)
#: Who answers for the processing -> where the article asks for them.
_PEOPLE: Final = (
    ("controller", "controller", "30(1)(a)"),
    ("representative", "representative", "30(1)(a)"),
    ("joint controller", "joint_controllers", "30(1)(a)"),
    ("data protection officer", "data_protection_officer", "30(1)(a)"),
)
_ASKED_OF_ACTIVITIES: Final = ("lawful_basis", "categories_of_people", "time_limits")


def _register(ask: Ask) -> Iterator[Row]:
    with ask.scope():
        controller, processor = controller_facts(ask.asker), processor_facts()
        exports = _exports(ask)
    for entry, member, article in _PEOPLE:
        yield from _parties(article, entry, controller[member])
    yield from (_activity(one, exports) for one in controller["activities"])
    yield from (_mandate(one) for one in processor["mandates"])
    measures = controller["security_measures"]
    yield from (_row("30(1)(g), 30(2)(d)", "security measure", description=one) for one in measures)


def _exports(ask: Ask) -> Counter[str]:
    """Exports asked for in the period, by purpose."""
    found: Counter[str] = Counter()
    for model in (Export, GuaranteedExport):
        rows: Any = model._default_manager.filter(created_at__gte=ask.since, created_at__lt=ask.until)  # noqa: SLF001
        found.update(dict(rows.values_list("purpose").annotate(Count("pk"))))
    return found


def _row(article: str, entry: str, *, lacking: list[str] | None = None, **said: Any) -> Row:
    """``lacking`` names what nobody has said yet; None: nothing is asked of the entry."""
    known = dict.fromkeys(_COLUMNS) | {"article": article, "entry": entry, **said}
    if lacking is not None:
        known |= {"to_be_completed": ", ".join(lacking), "is_complete": "no" if lacking else "yes"}
    return tuple(known[name] for name in _COLUMNS)


def _parties(article: str, entry: str, given: Any) -> Iterator[Row]:
    if given == MISSING:
        yield _row(article, entry, name=MISSING, lacking=[entry])
    else:
        yield from (_row(article, entry, name=_party(one), lacking=[]) for one in given)


def _activity(one: dict[str, Any], exports: Counter[str]) -> Row:
    lacking = [name for name in _ASKED_OF_ACTIVITIES if one[name] == MISSING]
    return _row(
        "30(1)(b) to (f)",
        "activity",
        name=one["purpose"],
        description=one["description"],
        lawful_basis=one["lawful_basis"],
        special_condition=one["special_condition"],
        categories_of_people=one["categories_of_people"],
        categories_of_data=", ".join(one["categories_of_data"]),
        datasets=", ".join(one["datasets"]),
        recipients="; ".join(map(_party, one["recipients"])),
        transfers=_transfers(one["transfers"]),
        time_limits=one["time_limits"],
        exports_in_period=exports[one["purpose"]],
        lacking=lacking + _unsafe(one["transfers"]),
    )


def _mandate(one: dict[str, Any]) -> Row:
    lacking = ["categories_of_processing"] if one["categories_of_processing"] == MISSING else []
    return _row(
        "30(2)(a) to (c)",
        "processing on behalf",
        name=_party(one["controller"]),
        description=one["categories_of_processing"],
        recipients="; ".join(map(_party, one["sub_processors"])),
        transfers=_transfers(one["transfers"]),
        lacking=lacking + _unsafe(one["transfers"]),
    )


def _party(one: dict[str, str]) -> str:
    return ", ".join(filter(None, (one["name"], one["contact"], one["country"])))


def _transfers(given: list[dict[str, str]]) -> str:
    return "; ".join(f"{one['to']} ({one['country']}): {one['safeguard']}" for one in given)


def _unsafe(given: list[dict[str, str]]) -> list[str]:
    return [f"safeguard of the transfer to {one['to']}" for one in given if one["safeguard"] == MISSING]


KINDS: Final = (
    ReportKind(
        code="gdpr_article30",
        title="Records of processing activities",
        about=(
            "Both records of article 30: what the organization processes as a controller, purpose by purpose, and what "
            "it processes on behalf of others; with what nobody has said yet."
        ),
        maps_to=("GDPR Art. 30(1)", "GDPR Art. 30(2)", "GDPR Art. 5(2)"),
        columns=_COLUMNS,
        rows=_register,
        breakdowns=("entry", "lawful_basis", "is_complete"),
        measures=(
            Measure("Activities", "entry", frozenset({"activity"})),
            Measure("Processed on behalf of", "entry", frozenset({"processing on behalf"})),
            Measure("Entries to be completed", "is_complete", frozenset({"no"})),
        ),
        query="type=data.purpose.changed",
        notes=(
            "The register is that of the time of writing. Exports are those asked for in the period, by purpose.",
            "Of datasets it names those that who asked for it may see.",
        ),
        needs=("register.read",),
        scopes=(),
        page_columns=(
            *("article", "entry", "name", "description", "lawful_basis", "categories_of_people", "categories_of_data"),
            *("datasets", "recipients", "transfers", "time_limits", "exports_in_period", "to_be_completed"),
        ),
    ),
)
