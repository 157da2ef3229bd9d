"""Replace: the kind of the data instead of the data."""

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show


def label_of(entity_type: str) -> str:
    return f"<{entity_type}>"


class Replace(Operator):
    """``jane@example.com`` becomes ``<EMAIL_ADDRESS>``, or the label that a policy gives."""

    name = "replace"
    title = "Replace by a label"
    description = "The kind of the data, or a label of your own, stands in its place."
    parameters = {
        "label": {
            "type": "string",
            "title": "Label",
            "description": "What stands there instead of the kind.",
            "minLength": 1,
            "maxLength": 40,
        }
    }
    rank = 800

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        del keys
        label = parameters.get("label")
        return (lambda _piece: label) if label else _labelled


def _labelled(piece: Piece) -> str:
    return label_of(piece.entity_type)
