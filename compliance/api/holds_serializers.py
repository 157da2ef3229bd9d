"""Shapes of legal holds."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.holds.notices import Answered, answered_of
from compliance.holds.place import MAX_IDENTIFIERS, MAX_MATTER, MAX_SCOPES
from compliance.holds.selectors import Kept, kept_by, may_do
from compliance.holds.texts import MAX_REASON, query_of, reason_of, release_reason_of
from compliance.models import LegalHold
from compliance.models.hold import STATES
from datasets.models import HoldKind
from vaultsite.kernel.tenancy.principal import Principal


class HoldIdentifierInput(StrictInput):
    """What names a person: ``type`` is an entity type such as EMAIL_ADDRESS. Only a keyed hash of it is kept."""

    type = serializers.CharField(max_length=40)
    value = serializers.CharField(max_length=200)


class HoldScopeInput(StrictInput):
    """What of a dataset to keep: all of it, one ``version``, the records of a person, or those that meet ``filter``."""

    kind = serializers.ChoiceField(choices=HoldKind.choices)
    dataset_id = serializers.UUIDField()
    version = serializers.CharField(max_length=100, required=False, default="")
    identifiers = serializers.ListField(
        child=HoldIdentifierInput(), required=False, default=list, max_length=MAX_IDENTIFIERS
    )
    filter = serializers.JSONField(required=False, default=None, allow_null=True)


class HoldNoticeTextInput(StrictInput):
    """What a person is told: what they are to ``keep``, and whom they may ask. Sealed."""

    keep = serializers.CharField(max_length=MAX_REASON)
    contact = serializers.CharField(max_length=MAX_REASON)


class HoldInput(StrictInput):
    """``matter`` is the reference of the proceedings, and no more: refusals show it. ``custodian`` is a person's id,
    who is told of the hold by ``notice``; without one they are not.
    """

    matter = serializers.CharField(max_length=MAX_MATTER)
    reason = serializers.CharField(max_length=MAX_REASON)
    custodian = serializers.UUIDField()
    scopes = serializers.ListField(child=HoldScopeInput(), min_length=1, max_length=MAX_SCOPES)
    notice = HoldNoticeTextInput(required=False, default=None, allow_null=True)


class HoldReleaseInput(StrictInput):
    reason = serializers.CharField(max_length=MAX_REASON)


class HoldScopeOutput(serializers.Serializer[Any]):
    """``records``: how many are kept one by one, null where more than a list is. ``is_searching``: the records of a
    filter are still looked for, and all of the dataset is kept meanwhile.
    """

    kind = serializers.ChoiceField(choices=HoldKind.choices)
    dataset_id = serializers.UUIDField()
    version = serializers.CharField(allow_blank=True)
    identifiers = serializers.IntegerField()
    filter = serializers.JSONField(allow_null=True)
    records = serializers.IntegerField(allow_null=True)
    is_searching = serializers.BooleanField()


class HoldAnsweredOutput(serializers.Serializer[Any]):
    """How many people were told of the hold, and how many of them have acknowledged it."""

    told = serializers.IntegerField()
    acknowledged = serializers.IntegerField()


class HoldOutput(serializers.ModelSerializer[LegalHold]):
    """``reason``, ``release_reason`` and the filters of scopes are shown to who may place holds, else empty."""

    state = serializers.ChoiceField(choices=STATES)
    is_overdue = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    release_reason = serializers.CharField(allow_blank=True)
    scopes = HoldScopeOutput(many=True)
    notices = HoldAnsweredOutput()

    class Meta:
        model = LegalHold
        fields = [
            *(
                "id",
                "matter",
                "state",
                "is_overdue",
                "custodian",
                "reason",
                "scopes",
                "notices",
                "placed_by",
                "placed_at",
            ),
            *("confirm_by", "confirmed_by", "confirmed_at", "release_reason", "release_requested_by"),
            *("release_requested_at", "released_by", "released_at"),
        ]


class HoldPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class HoldListOutput(serializers.Serializer[Any]):
    data = HoldOutput(many=True)  # type: ignore[assignment]
    pagination = HoldPagingOutput()


def hold_json(principal: Principal, hold: LegalHold, answered: Answered | None = None) -> dict[str, Any]:
    """A hold as ``principal`` may see it, in an open scope; ``answered`` is counted unless it is given."""
    is_open = may_do(principal, "hold.place")
    names = ("id", "matter", "state", "is_overdue", "custodian", "placed_by", "placed_at", "confirm_by")
    more = (
        "confirmed_by",
        "confirmed_at",
        "release_requested_by",
        "release_requested_at",
        "released_by",
        "released_at",
    )
    shown = {name: getattr(hold, name) for name in (*names, *more)}
    shown |= {
        "reason": reason_of(hold) if is_open else "",
        "release_reason": release_reason_of(hold) if is_open else "",
        "scopes": [_scope_json(kept, is_open=is_open) for kept in kept_by(hold)],
        "notices": answered or answered_of([hold.pk])[hold.pk],
    }
    return dict(HoldOutput(shown).data)  # type: ignore[arg-type]


def _scope_json(kept: Kept, *, is_open: bool) -> dict[str, Any]:
    scope = kept.scope
    wanted = query_of(scope) if is_open else None
    return {
        "kind": scope.kind,
        "dataset_id": scope.dataset_id,
        "version": scope.version,
        "identifiers": scope.identifiers,
        "filter": wanted.as_json() if wanted else None,
        "records": kept.records,
        "is_searching": kept.is_searching,
    }
