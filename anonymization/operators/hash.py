"""Hash: equal values stay recognizable as equal, to those who share a key, and to nobody else."""

from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, required_key

#: Hexadecimal digits shown: 64 bits, so that among a million values two meet by chance once in 37 million vaults.
SHOWN: Final = 16

_LABEL: Final = b"llm-data-vault/operators/hash/v1\0"


class Hash(Operator):
    """``jane@example.com`` becomes ``<EMAIL_ADDRESS:9f86d081884c7d65>``, HMAC-SHA-256 over type and value.

    The result is a pseudonym, hence still personal data: whoever holds the key can test guesses.
    """

    name = "hash"
    title = "Keyed hash"
    description = "Equal values of one kind get equal codes; without the vault's key no guess can be tested."
    parameters = {
        "digits": {
            "type": "integer",
            "title": "Digits",
            "description": "Hexadecimal digits of the code.",
            "minimum": 12,
            "maximum": 64,
            "default": SHOWN,
        }
    }
    needs_key = True
    rank = 700

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        key, digits = required_key(keys.key), parameters.get("digits", SHOWN)

        def show(piece: Piece) -> str:
            text = piece.text.encode("utf-8", "surrogatepass")
            code = key.mac(_LABEL + piece.entity_type.encode() + b"\0" + text)
            return f"<{piece.entity_type}:{code.hex()[:digits]}>"

        return show
