"""A policy document: what is done to which personal data, as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from anonymization.findings import ACT_FROM
from anonymization.policies.errors import InvalidPolicy
from anonymization.policies.schema import problems_of
from vaultsite.kernel.errors import FieldProblem


@dataclass(frozen=True)
class Match:
    """Which findings a rule is about: kinds, places (empty: all) and how sure they must be."""

    entities: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    min_score: float = 0.0

    @classmethod
    def of(cls, stored: Mapping[str, Any], min_score: float) -> Self:
        score = stored.get("min_score", min_score)
        return cls(frozenset(stored.get("entities", ())), tuple(stored.get("fields", ())), score)


@dataclass(frozen=True)
class Rule:
    """What is done to what matches; ``whole_field``: to all of each value in the fields, found or not."""

    match: Match
    strategy: str
    parameters: Mapping[str, Any]
    whole_field: bool = False


@dataclass(frozen=True)
class PolicyDocument:
    """A document that was accepted. Exceptions go before rules, the first rule that matches counts, then the default.

    ``content`` is the JSON it was read from, ``digest`` SHA-256 over that with sorted members.
    """

    content: Mapping[str, Any]
    digest: bytes
    locale: str
    scope: str
    subject: str
    min_score: float
    default: Rule
    rules: tuple[Rule, ...]
    exceptions: tuple[Match, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Every place that its rules name, sorted."""
        return tuple(sorted({field for rule in self.rules for field in rule.match.fields}))


def read_document(content: Any, *, field: str = "") -> PolicyDocument:
    """Raises InvalidPolicy, with pointers below ``field``."""
    if problems := problems_of(content):
        raise InvalidPolicy(errors=[FieldProblem(f"{field}{one.field}" or "/", one.detail) for one in problems])
    min_score = content.get("min_score", ACT_FROM)
    return PolicyDocument(
        content=content,
        digest=document_digest(content),
        locale=content.get("locale", "en_US"),
        scope=content.get("scope", "dataset"),
        subject=content.get("subject", ""),
        min_score=min_score,
        default=_rule(content["default"], min_score),
        rules=tuple(_rule(rule, min_score) for rule in content.get("rules", ())),
        exceptions=tuple(Match.of(one, 0.0) for one in content.get("exceptions", ())),
    )


def document_digest(content: Any) -> bytes:
    """SHA-256 over a document with sorted members."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _rule(stored: Mapping[str, Any], min_score: float) -> Rule:
    return Rule(
        match=Match.of(stored, min_score),
        strategy=stored["strategy"],
        parameters=stored.get("parameters", {}),
        whole_field=stored.get("whole_field", False),
    )
