"""Single texts, anonymized by an operator or a policy. Nothing of them is stored but the tokens that are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from access.services.authorize import authorize
from anonymization.detectors.base import Span
from anonymization.findings import ACT_FROM, Finding
from anonymization.operators.base import Keys, Parameters
from anonymization.operators.lists import DEFAULT_LOCALE
from anonymization.operators.registry import get_operator
from anonymization.operators.rewrite import Whose, rewrite
from anonymization.operators.strategy import Strategy, make_strategy
from anonymization.policies.compiled import CompiledPolicy
from anonymization.policies.errors import InvalidPolicy
from anonymization.policies.schema import parameter_problems
from anonymization.services.anonymize import findings_of_text
from anonymization.services.detect import detect_text
from anonymization.services.operator_keys import KeySource
from anonymization.services.policy_source import trial_policy
from anonymization.services.trust import load_trust
from vaultsite.kernel.errors import FieldProblem
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_TEXT: Final = ResourceRef(type="text")
_TOKENIZE: Final = "tokenize"


@dataclass(frozen=True)
class How:
    """What is asked for: an operator with parameters and others for single kinds, or a policy.

    ``policy`` is a name, ``preset:`` and a name, or empty; ``document`` is a policy that is stored nowhere.
    """

    operator: str = "mask"
    parameters: Parameters = field(default_factory=dict)
    per_entity: Mapping[str, tuple[str, Parameters]] = field(default_factory=dict)
    policy: str = ""
    version: int | None = None
    document: Any = None


@dataclass(frozen=True)
class Anonymized:
    """A text as shown, what was found in it, and which version of which policy was used (empty: none)."""

    text: str
    spans: tuple[Span, ...]
    policy: str = ""


def anonymize_text(principal: Principal, text: str, how: How) -> Anonymized:
    """Hide the personal data of a text, in the open scope.

    Keys are the texts' own: no surrogate or hash is that of the same value in a dataset. Raises AccessDenied,
    PurposeRequired and UnknownPurpose (where tokens are asked for), InvalidPolicy, PolicyNotFound,
    PolicyVersionNotFound, DetectionFailed.
    """
    authorize(principal, "pii.anonymize", _TEXT)
    source = KeySource(None, "")
    spans = detect_text(text)
    found = load_trust(None).effective({"data": text}, findings_of_text(spans))
    if how.policy or how.document is not None:
        policy = trial_policy(how.policy, how.version, how.document, source)
        _require_tokens(principal, (policy.default, *(strategy for _, strategy in policy.rules)))
        shown = _shown(text, found, policy)
        return Anonymized(shown, tuple(spans), policy.reference)
    keys = source.keys("tenant", DEFAULT_LOCALE)
    default = _strategy(how.operator, how.parameters, keys, "/parameters")
    kinds = {
        kind: _strategy(name, parameters, keys, f"/per_entity/{kind}")
        for kind, (name, parameters) in how.per_entity.items()
    }
    _require_tokens(principal, (default, *kinds.values()))
    record = rewrite({"data": text}, found, lambda one: kinds.get(one.entity_type, default), make_strategy("redact"))
    return Anonymized(record["data"], tuple(spans))


def _require_tokens(principal: Principal, strategies: Iterable[Strategy | None]) -> None:
    """Tokens stay in the vault, so making them takes what ``/tokenize`` takes: its permission, and a purpose."""
    if any(one is not None and one.name == _TOKENIZE for one in strategies):
        authorize(principal, "token.create", ResourceRef("token"))


def _shown(text: str, findings: Sequence[Finding], policy: CompiledPolicy) -> str:
    counted = [one for one in findings if one.score >= ACT_FROM]
    shown: str = rewrite({"data": text}, counted, policy.strategy_for, make_strategy("redact"), Whose())["data"]
    return shown


def _strategy(name: str, parameters: Parameters, keys: Keys, field_name: str) -> Strategy:
    get_operator(name)
    if problems := parameter_problems(name, dict(parameters)):
        raise InvalidPolicy(errors=[FieldProblem(f"{field_name}{one.field}", one.detail) for one in problems])
    return make_strategy(name, parameters, keys)
