"""The port of the operators: what a reader is shown in place of personal data."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from anonymization.errors import OperatorKeyMissing
from vaultsite.kernel.crypto.keys import SecretKey

Parameters: TypeAlias = Mapping[str, Any]

NO_PARAMETERS: Final[Parameters] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of personal data as an operator sees it.

    ``record_id`` and ``subject`` say whose it is, where that is known: the record it stands in, and the value of the
    field that names the person. ``is_number`` holds for the whole of a JSON number, given as its JSON text.
    """

    text: str
    entity_type: str
    record_id: str = ""
    subject: str = ""
    is_number: bool = False


#: What stands in place of a piece; a number only in place of a number. None: the operator can make nothing of it.
Shown: TypeAlias = str | int | float | None
Show: TypeAlias = Callable[[Piece], Shown]
ShowMany: TypeAlias = Callable[[Sequence[Piece]], Sequence[Shown]]


@dataclass(frozen=True, slots=True)
class Keys:
    """What operators work with beside the text: ``key`` belongs to the scope in which surrogates are consistent.

    ``locale`` chooses the lists of surrogates, ``this_year`` is what ages are counted from, ``tokenize`` gives a token
    for each of many values.
    """

    key: SecretKey | None = None
    sealing_key: SecretKey | None = None
    sealing_key_id: bytes = bytes(16)
    locale: str = "en_US"
    this_year: int = 9999
    tokenize: Callable[[Sequence[str]], list[str]] | None = None


class Operator(ABC):
    """Turns personal data into what may be shown. Pure: equal pieces, parameters and keys give equal results.

    The result never contains the text itself, nor more of it than the operator states. What an operator can make
    nothing of (a date it cannot read) it answers with None, and the label of the kind stands there instead.
    """

    #: The name that policies and requests use, and the words people read.
    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    #: Members of the parameters, each with its JSON Schema (draft 2020-12); none is required.
    parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    #: Whether the vault can turn the result back into the text.
    is_reversible: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
    #: Whether the result depends on text and kind alone, so that equal pieces need be worked on once.
    is_local: ClassVar[bool] = True
    #: Whether the result may be the text itself: a year truncated to the year.
    may_repeat: ClassVar[bool] = False
    #: Where the operator stands in the order of strictness, see docs/explanation of policies.
    rank: ClassVar[int]

    @abstractmethod
    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        """The operator with parameters that its schema accepted. Raises OperatorKeyMissing."""

    def bind_many(self, parameters: Parameters, keys: Keys) -> ShowMany | None:
        """The operator for many pieces at once, where that is cheaper than one by one; else None."""
        del parameters, keys
        return None

    def strictness(self, parameters: Parameters) -> int:
        """Of two operators on the same data the one with the higher number wins. Between 0 and 999."""
        del parameters
        return self.rank


def required_key(key: SecretKey | None) -> SecretKey:
    """Raises OperatorKeyMissing."""
    if key is None:
        raise OperatorKeyMissing
    return key


def keyed_number(key: SecretKey, label: bytes, *parts: str) -> int:
    """A number of 128 bits that those with the key get again from equal parts, and nobody can foretell."""
    message = b"".join(_framed(part.encode("utf-8", "surrogatepass")) for part in parts)
    return int.from_bytes(key.mac(label + b"\0" + message)[:16])


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4) + part
