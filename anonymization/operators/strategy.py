"""A strategy: an operator with its parameters and keys, ready to be applied, and where it stands in strictness."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from anonymization.findings import UNSCANNABLE
from anonymization.operators.base import NO_PARAMETERS, Keys, Parameters, Piece, Show, ShowMany
from anonymization.operators.registry import get_operator
from anonymization.operators.replace import label_of

#: What stands in place of content nobody looked into, whatever the operator.
WITHHELD: Final = "[WITHHELD]"
#: Texts whose results are remembered, for operators that make the same of the same text.
_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 200


@dataclass(slots=True)
class Strategy:
    """What happens to a piece. Of two strategies for one piece the one with the higher ``rank`` wins."""

    name: str
    rank: int
    show: Show
    parameters: Parameters = field(default_factory=dict)
    is_local: bool = False
    is_reversible: bool = False
    may_repeat: bool = False
    #: For operators that work on many pieces at once.
    show_many: ShowMany | None = None
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def shown(self, piece: Piece) -> str | int | float:
        """What stands in place of the piece; its label where the operator can make nothing of it."""
        if piece.entity_type == UNSCANNABLE:
            return WITHHELD
        made = self.show(piece)
        # What an operator leaves as it was, it has not hidden.
        is_hidden = made is not None and made != "" and (self.may_repeat or str(made) != piece.text)
        return made if made is not None and is_hidden else label_of(piece.entity_type)

    def shown_text(self, text: str, entity_type: str) -> str | None:
        """What was made of an equal piece before, or is made now where nothing else matters; None where more does."""
        if not self.is_local:
            return None
        known = self._known.get((entity_type, text))
        if known is None:
            known = str(self.shown(Piece(text, entity_type)))
            if len(text) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[entity_type, text] = known
        return known

    def prepare(self, pieces: Sequence[Piece]) -> None:
        """Work on many pieces at once, and remember what came of them for :meth:`shown_text`."""
        assert self.show_many is not None
        for piece, made in zip(pieces, self.show_many(pieces), strict=True):
            self._known[piece.entity_type, piece.text] = label_of(piece.entity_type) if made is None else str(made)


def make_strategy(name: str, parameters: Parameters = NO_PARAMETERS, keys: Keys | None = None) -> Strategy:
    """Raises UnknownOperator, OperatorKeyMissing. The parameters were accepted by the operator's schema."""
    operator, made = get_operator(name), keys or Keys()
    return Strategy(
        name=name,
        rank=operator.strictness(parameters),
        show=operator.bind(parameters, made),
        parameters=parameters,
        is_local=operator.is_local,
        is_reversible=operator.is_reversible,
        may_repeat=operator.may_repeat,
        show_many=operator.bind_many(parameters, made),
    )


def strictest(strategies: Iterable[Strategy | None], fallback: Strategy) -> Strategy | None:
    """The one with the highest rank; None (leave as it is) where there is no other.

    Two of one rank that are not the same reveal different things: then neither is used but ``fallback``.
    """
    best: Strategy | None = None
    for strategy in strategies:
        if strategy is None or strategy is best:
            continue
        if best is None or strategy.rank > best.rank:
            best = strategy
        elif strategy.rank == best.rank and strategy.parameters != best.parameters:
            best = fallback
    return best
