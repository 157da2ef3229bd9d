"""Revealing tokens: a batch of tokens in, a value or a refusal for each out, every one counted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.utils import timezone

from anonymization.models import TokenUse
from anonymization.services.token_vault.space import OpenSpace
from anonymization.tokens.errors import TokenExpired, TokenUnknown, TooManyUnknownTokens
from anonymization.tokens.statements import FoundToken, Tally, add_tallies, find_tokens
from anonymization.tokens.text import read_token
from vaultsite.kernel.errors import IntegrityFailure, VaultError
from vaultsite.kernel.tenancy.scope import current_scope

#: Unknown tokens that one principal may ask for in one scope within an hour.
MAX_UNKNOWN: Final = 5_000
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Revealed:
    """The value behind one token, or why it is not shown."""

    value: str | None = field(default=None, repr=False)
    refusal: VaultError | None = None


def reveal_tokens(space: OpenSpace | None, tokens: Sequence[str]) -> list[Revealed]:
    """One answer a token, in their order, inside the open scope; ``space`` is None where there never were any.

    Raises TooManyUnknownTokens for a principal that guesses, KeyDestroyed, KeyUnavailable, IntegrityFailure; then no
    value is shown.
    """
    if space is None:
        return [Revealed(refusal=TokenUnknown()) for _ in tokens]
    _refuse_guessing(space)
    indexes = [_indexes(space, token) for token in tokens]
    asked = [index for of_token in indexes for index in of_token]
    rows = find_tokens(asked, space_id=space.row.pk, expired_before=space.row.expired_before)
    found = {row.token_index: row for row in rows}
    tallies: dict[str, Tally] = defaultdict(Tally)
    revealed = []
    for token, of_token in zip(tokens, indexes, strict=True):
        row = next((found[index] for index in of_token if index in found), None)
        revealed.append(_reveal(space, token, row))
        tally = tallies[row.kind if row else ""]
        tally.revealed += revealed[-1].refusal is None
        tally.refused += revealed[-1].refusal is not None
    add_tallies(space.row.pk, current_scope().principal.id, dict(tallies))
    return revealed


def _refuse_guessing(space: OpenSpace) -> None:
    who = current_scope().principal.id
    recent = TokenUse.objects.filter(
        space=space.row, principal_id=who, kind="", last_revealed_at__gt=timezone.now() - _HOUR
    )
    if recent.filter(refused__gte=MAX_UNKNOWN).exists():
        raise TooManyUnknownTokens


def _indexes(space: OpenSpace, token: str) -> list[bytes]:
    """Under which the token may be found: a token in a value's format does not tell its generation."""
    text = read_token(token)
    encoded = token.encode("utf-8", "surrogatepass")
    generations = [one for one in space.generations if text is None or one.number == text.generation]
    return [one.token_index(encoded) for one in reversed(generations)]


def _reveal(space: OpenSpace, token: str, row: FoundToken | None) -> Revealed:
    if row is None:
        return Revealed(refusal=TokenUnknown())
    if row.is_expired:
        return Revealed(refusal=TokenExpired())
    stored, value = space.open(row.id, row.sealed)
    if stored.decode() != token:
        raise IntegrityFailure("A row is another token's")
    return Revealed(value.decode("utf-8", "surrogatepass"))
