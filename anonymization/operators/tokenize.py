"""Tokenize: a token of the vault, from which those who may reveal tokens get the value back."""

from collections.abc import Sequence
from typing import Final

from anonymization.errors import OperatorKeyMissing
from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, ShowMany, Shown

#: A longer value is a text, and gets no token.
_LONGEST: Final = 4096


class Tokenize(Operator):
    """``jane@example.com`` becomes a token of the scope of dataset and purpose; see the token vault.

    A value the vault refuses (too few like it, or too many records share it) is shown as refused.
    """

    name = "tokenize"
    title = "Tokenize"
    description = "A token of the dataset and purpose; who may reveal tokens can turn it back."
    is_reversible = True
    needs_key = True
    rank = 550

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        many = self.bind_many(parameters, keys)
        return lambda piece: many([piece])[0]

    def bind_many(self, parameters: Parameters, keys: Keys) -> ShowMany:
        del parameters
        if keys.tokenize is None:
            raise OperatorKeyMissing
        tokenize = keys.tokenize

        def show(pieces: Sequence[Piece]) -> list[Shown]:
            texts = sorted({piece.text for piece in pieces if len(piece.text) <= _LONGEST})
            tokens = dict(zip(texts, tokenize(texts) if texts else (), strict=True))
            return [tokens.get(piece.text) for piece in pieces]

        return show
