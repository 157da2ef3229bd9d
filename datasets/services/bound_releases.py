"""What release rules leave of a request by somebody who does not read raw.

Whoever could choose whom a record is about, how values are labelled or which records are among the rows would learn the
values of a single person from tables that keep their promise.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from access.selectors import hands_of
from access.services.authorize import Decision, shows_raw
from datasets.errors.analytics import OutsideReleaseRules, ReleaseRulesMissing
from datasets.models import Dataset
from datasets.query import Filter
from datasets.query.ast import Path, comparisons
from datasets.selectors import resource_of
from datasets.services.guaranteed.options import Column, GuaranteedOptions, HierarchyKind, HierarchyPlan, Role
from datasets.services.release_rules import DeclaredRules, rules_of
from datasets.services.statistics.request import StatisticsRequest, refusal
from vaultsite.kernel.errors import FieldProblem
from vaultsite.kernel.tenancy.principal import Principal

#: Roles in which values leave as they are or as the asker may see them.
_UNGENERALIZED: Final = frozenset({Role.INSENSITIVE, Role.TEXT})


def bind_table(
    principal: Principal, view: Decision, dataset: Dataset, options: GuaranteedOptions
) -> tuple[GuaranteedOptions, bool]:
    """What is made of a table somebody asks for, and whether the rules bind the asker; in the open scope.

    The least k binds everybody once it is declared, all other rules those to whom records are not shown raw (``view``
    is what was decided of the asker's own view). Raises ReleaseRulesMissing, OutsideReleaseRules.
    """
    rules = rules_of(dataset.pk)
    is_bound = bool(view.obligations) or not shows_raw(principal, resource_of(dataset))
    if is_bound:
        rules = _declared_by_another(rules, principal)
    problems = [] if rules is None else [*_weak(rules, options)]
    if is_bound and rules is not None:
        problems += [*_odd_columns(rules, options), *_singled_out(rules, options)]
    if problems:
        raise OutsideReleaseRules(errors=problems)
    return (_filled(rules, options) if is_bound and rules is not None else options), is_bound


def bind_statistics(principal: Principal, dataset: Dataset, request: StatisticsRequest) -> StatisticsRequest:
    """What is made of statistics somebody asks for: with a subject, which is the declared one for all to whom records
    are not shown raw. Raises ReleaseRulesMissing, OutsideReleaseRules, InvalidStatistics.
    """
    rules = rules_of(dataset.pk)
    if shows_raw(principal, resource_of(dataset)):
        if request.subject is None and rules is None:
            raise refusal("/subject", "a path: nobody has declared one")
        return request if rules is None or request.subject else replace(request, subject=rules.subject)
    rules = _declared_by_another(rules, principal)
    problems = [*_odd_filter(rules, request.filter)]
    if request.subject not in {None, rules.subject}:
        problems.append(FieldProblem("/subject", f"the declared subject is {rules.subject}"))
    if problems:
        raise OutsideReleaseRules(errors=problems)
    return replace(request, subject=rules.subject)


def _declared_by_another(rules: DeclaredRules | None, principal: Principal) -> DeclaredRules:
    """Nobody is bound by rules of their own making. Raises ReleaseRulesMissing."""
    if rules is None:
        raise ReleaseRulesMissing("A steward declares the subject first", missing=["subject"])
    if hands_of(rules.declared_by) & hands_of(principal.id):
        raise ReleaseRulesMissing("Somebody else than the asker declares them", missing=["subject"])
    return rules


def _weak(rules: DeclaredRules, options: GuaranteedOptions) -> Iterator[FieldProblem]:
    if options.guarantee.k < rules.minimum_k:
        yield FieldProblem("/anonymization/k", f"at least {rules.minimum_k}")


def _odd_columns(rules: DeclaredRules, options: GuaranteedOptions) -> Iterator[FieldProblem]:
    for place, column in enumerate(options.columns):
        if text := _odd_role(rules, column):
            yield FieldProblem(f"/columns/{place}", text)
        elif column.hierarchy.kind is HierarchyKind.TABLE and column.hierarchy.table:
            yield FieldProblem(f"/columns/{place}/hierarchy", "a steward declares tables of labels")


def _odd_role(rules: DeclaredRules, column: Column) -> str:
    if column.role is Role.SUBJECT:
        return "" if _leads_to(rules.subject, column.name) else f"the declared subject is {rules.subject}"
    if _touches(rules.subject, column.name):
        return "this is whom a row is about"
    if (column.role is Role.SENSITIVE) != (column.name in rules.sensitive) and column.is_released:
        return "columns are sensitive that are declared to be"
    if column.role in _UNGENERALIZED and column.is_released and column.name not in rules.insensitive:
        return "columns leave as they are that are declared to be insensitive"
    return ""


def _singled_out(rules: DeclaredRules, options: GuaranteedOptions) -> Iterator[FieldProblem]:
    yield from _odd_filter(rules, options.filter)
    if options.time_range is not None and _touches(rules.subject, options.time_range.field):
        yield FieldProblem("/time_range/field", "this is whom a row is about")


def _odd_filter(rules: DeclaredRules, wanted: Filter) -> Iterator[FieldProblem]:
    """One problem for a filter that names records or people."""
    if wanted.node is None or rules.allows_id_filters:
        return
    paths = [comparison.path.tokens for comparison in comparisons(wanted.node)]
    if any(tokens == ("id",) or _overlap(tokens, rules.subject.tokens) for tokens in paths):
        yield FieldProblem("/filter", "no record and nobody is chosen by id")


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one place is the other or lies in it."""
    depth = min(len(one), len(other))
    return one[:depth] == other[:depth]


def _places(name: str) -> list[tuple[str, ...]]:
    """What a column of a table may name: a member of data, or one by its path."""
    return [("data", name), ("data", *name.split("."))]


def _leads_to(subject: Path, name: str) -> bool:
    return name in {str(subject), subject.pointer} or subject.tokens in _places(name)


def _touches(subject: Path, name: str) -> bool:
    return _leads_to(subject, name) or any(_overlap(place, subject.tokens) for place in _places(name))


def _filled(rules: DeclaredRules, options: GuaranteedOptions) -> GuaranteedOptions:
    """With the declared subject and the declared hierarchies."""
    columns = [_as_declared(rules, column) for column in options.columns]
    if options.subject is None and not rules.is_by_record:
        columns.insert(0, Column(str(rules.subject), Role.SUBJECT, pointer=rules.subject.pointer))
    return replace(options, columns=tuple(columns))


def _as_declared(rules: DeclaredRules, column: Column) -> Column:
    if column.role is Role.SUBJECT:
        return replace(column, pointer=rules.subject.pointer)
    is_open = column.hierarchy.kind in {HierarchyKind.AUTO, HierarchyKind.TABLE}
    if column.role is Role.QUASI and is_open:
        return replace(column, hierarchy=rules.hierarchies.get(column.name, HierarchyPlan()))
    return column
