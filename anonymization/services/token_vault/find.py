"""Where values were tokenized, without saying as what."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from uuid import UUID

from anonymization.models import Token, TokenSpace
from anonymization.services.token_vault.space import Generation, load_space
from vaultsite.kernel.errors import KeyDestroyed


def find_token_spaces(values: Collection[str]) -> Iterator[tuple[UUID, UUID | None]]:
    """(space, its dataset or None) of each scope with tokens of any of these values, in the open scope."""
    wanted = [text.encode("utf-8", "surrogatepass") for text in values]
    for space in TokenSpace.objects.order_by("pk"):
        if any(_has_any(space, generation, wanted) for generation in load_space(space).generations):
            yield space.pk, space.dataset_id


def _has_any(space: TokenSpace, generation: Generation, wanted: Collection[bytes]) -> bool:
    with suppress(KeyDestroyed):
        indexes = [generation.value_index(value) for value in wanted]
        return Token.objects.filter(space=space, generation=generation.number, value_index__in=indexes).exists()
    return False
