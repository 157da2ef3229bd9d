"""Shapes of notices of legal holds."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.api.holds_serializers import HoldNoticeTextInput, HoldPagingOutput
from compliance.holds.selectors import may_do
from compliance.holds.texts import MAX_REASON, note_of, notice_text
from compliance.models import HoldNotice
from vaultsite.kernel.tenancy.principal import Principal


class HoldNoticeInput(HoldNoticeTextInput):
    """``person`` is whom to tell; without one it is the custodian."""

    person = serializers.UUIDField(required=False, default=None, allow_null=True)


class HoldAcknowledgementInput(StrictInput):
    """``note`` says how one knows that the person acknowledged the hold. Sealed."""

    note = serializers.CharField(max_length=MAX_REASON)


class HoldNoticeOutput(serializers.ModelSerializer[HoldNotice]):
    """``keep``, ``contact`` and ``note`` are shown to who may place holds, else empty. ``reached``: whether the vault
    could tell the person; ``recorded_by``: who wrote down that they acknowledged it elsewhere.
    """

    hold_id = serializers.UUIDField()
    keep = serializers.CharField(allow_blank=True)
    contact = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)

    class Meta:
        model = HoldNotice
        fields = [
            *("id", "hold_id", "person", "keep", "contact", "reached", "sent_by", "sent_at", "told_at", "reminders"),
            *("acknowledged_at", "recorded_by", "note", "ended_at"),
        ]


class HoldNoticeListOutput(serializers.Serializer[Any]):
    data = HoldNoticeOutput(many=True)  # type: ignore[assignment]
    pagination = HoldPagingOutput()


class OwnHoldNoticeOutput(serializers.ModelSerializer[HoldNotice]):
    """What one is told of a hold: to ``keep`` something until ``released_at``, and whom one may ask."""

    matter = serializers.CharField()
    keep = serializers.CharField()
    contact = serializers.CharField()
    released_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = HoldNotice
        fields = ["id", "matter", "keep", "contact", "sent_at", "acknowledged_at", "released_at"]


class OwnHoldNoticeListOutput(serializers.Serializer[Any]):
    data = OwnHoldNoticeOutput(many=True)  # type: ignore[assignment]
    pagination = HoldPagingOutput()


def notice_json(principal: Principal, notice: HoldNotice) -> dict[str, Any]:
    """A notice as whoever may read its hold sees it."""
    is_open = may_do(principal, "hold.place")
    text = notice_text(notice) if is_open else None
    names = ("id", "hold_id", "person", "reached", "sent_by", "sent_at", "told_at", "reminders", "acknowledged_at")
    shown = {name: getattr(notice, name) for name in (*names, "recorded_by", "ended_at")}
    shown |= {"keep": text.keep if text else "", "contact": text.contact if text else ""}
    shown["note"] = note_of(notice) if is_open else ""
    return dict(HoldNoticeOutput(shown).data)  # type: ignore[arg-type]


def own_notice_json(notice: HoldNotice) -> dict[str, Any]:
    """A notice as the person it is for sees it."""
    text = notice_text(notice)
    shown = {name: getattr(notice, name) for name in ("id", "sent_at", "acknowledged_at")}
    shown |= {"matter": notice.hold.matter, "released_at": notice.hold.released_at}
    return dict(OwnHoldNoticeOutput(shown | {"keep": text.keep, "contact": text.contact}).data)  # type: ignore[arg-type]
