"""Which records a decision releases at all: the conditions of its ``filter_rows`` obligations.

They are judged on records as they are stored, never on the reader's view: on a view a condition such as
``NOT status = 'closed'`` would be met by every record whose status the view hides.
"""

from collections.abc import Sequence
from typing import Final

from access.services.authorize import Obligation
from anonymization.services.descriptions import personal_data_in
from datasets.errors import UnmetObligation
from datasets.errors.query import InvalidFilter
from datasets.query import Filter, parse_expression
from datasets.query.ast import And, Node

KIND: Final = "filter_rows"


def rows_released(obligations: Sequence[Obligation]) -> Filter:
    """What a record must meet to be released: all the conditions; none of them is met by every record.

    Raises UnmetObligation for a condition that cannot be understood: then nothing is released.
    """
    nodes = [_parsed(one.value) for one in obligations if one.type == KIND]
    return Filter(joined(nodes))


def joined(nodes: Sequence[Node]) -> Node | None:
    """What holds where all of them do; None where there is none."""
    return And(tuple(nodes)) if len(nodes) > 1 else next(iter(nodes), None)


def problem_of(condition: str) -> str:
    """Why ``condition`` can be no row condition of a policy; empty where it can. Never quotes a value of it.

    Policies, decisions and audit events hold it in the clear, so it may name no person.
    """
    try:
        node = parse_expression(condition).node
    except InvalidFilter as broken:
        return broken.detail
    if node is None:
        return "it is empty, and every record would meet it"
    if personal_data_in(condition=condition):
        return "it holds personal data, which decisions would repeat in the audit"
    return ""


def _parsed(condition: str) -> Node:
    try:
        node = parse_expression(condition).node
    except InvalidFilter as broken:
        raise UnmetObligation(obligation=KIND) from broken
    if node is None:
        raise UnmetObligation(obligation=KIND)
    return node
