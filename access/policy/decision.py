"""The answer of the decision point, and what it asks of whoever releases the data."""

from dataclasses import dataclass
from typing import Final, Literal

from access.policy.errors import ObligationNotEnforced

Effect = Literal["allow", "allow_with_conditions", "deny"]

#: Kinds of obligations, and what their ``value`` says.
KINDS: Final = frozenset(
    {
        "anonymize",  # no value: ``operator`` or ``policy`` says what is done
        "mask",  # no value: ``fields`` are cut out whatever else is shown
        "filter_rows",  # a condition on records: only those that meet it are released
        "consent",  # a purpose: only records whose people have agreed to it are released; more may be asked than one
        "restriction",  # a purpose: records of people who restricted it, or objected to it, are left out
        "row_limit",  # how many records one read releases at most
        "quota",  # the id of the lease that counts what is released
        "k",  # the least size of a class of records in a release
        "epsilon",  # how much privacy budget one query may spend at most
        "audit_level",  # "detailed": the event of the decision names what it was decided on
    }
)
_IN_FIELDS: Final = frozenset({"mask"})


@dataclass(frozen=True)
class Obligation:
    """What must be done to the data before it is released; ``type`` is one of KINDS.

    An ``anonymize`` has either an ``operator``, which names what is done to all personal data, or a ``policy``, one
    version of an anonymization policy ("name@3"), which says what is done to which; ``fields`` are the places that
    policy names. A ``mask`` has ``fields``: JSON pointers into the record, or names of members of its data. All others
    have a ``value`` (see KINDS).
    """

    type: str
    operator: str = ""
    policy: str = ""
    fields: tuple[str, ...] = ()
    value: str = ""

    def __str__(self) -> str:
        if self.type in _IN_FIELDS:
            return f"{self.type}:{','.join(self.fields)}"
        return f"{self.type}:{self.policy or self.operator or self.value}"

    @classmethod
    def of(cls, text: str) -> "Obligation":
        """The obligation that ``str`` wrote; of an anonymization policy without its fields."""
        kind, _, what = text.partition(":")
        if kind in _IN_FIELDS:
            return cls(kind, fields=tuple(what.split(",")))
        if kind != "anonymize":
            return cls(kind, value=what)
        return cls(kind, "", what) if "@" in what else cls(kind, what)


@dataclass(frozen=True)
class Decision:
    """The answer. Whoever cannot discharge an obligation must treat the decision as a denial.

    ``policy_ids`` name what decided: ``builtin:..``, ``role:<code>``, ``policy:<id>@<number>``, ``permission:<id>``,
    ``lease:<id>``, ``break_glass:<id>``. ``purpose`` is the one decided for. ``ttl_seconds`` says how long the answer
    may be kept: 0, never beyond the request.
    """

    effect: Effect
    obligations: tuple[Obligation, ...] = ()
    reason: str = ""
    policy_ids: tuple[str, ...] = ()
    ttl_seconds: int = 0
    purpose: str | None = None

    def require(self, *kinds: str) -> None:
        """Called by who discharges ``kinds`` and nothing else.

        Raises ObligationNotEnforced when the decision asks for anything beside them.
        """
        for obligation in self.obligations:
            if obligation.type not in kinds:
                raise ObligationNotEnforced(obligation=obligation.type)

    def asked(self, kind: str) -> tuple[Obligation, ...]:
        """The obligations of one kind."""
        return tuple(obligation for obligation in self.obligations if obligation.type == kind)
