"""Shapes of proofs, checkpoints and verifications."""

from base64 import b64encode
from typing import Any

from rest_framework import serializers

from audit.api.serializers import PaginationSerializer
from audit.models import AuditCheckpoint, AuditVerification, WitnessReceipt
from audit.proofs.damage import MEANINGS, Damage
from audit.proofs.events import Consistency, EventProof
from vaultsite.kernel.jobs import JobStatus


def _base64(raw: Any) -> str:
    return b64encode(bytes(raw)).decode()


class WitnessReceiptSerializer(serializers.Serializer[WitnessReceipt]):
    """That a witness outside the database took the checkpoint."""

    witness = serializers.CharField()
    held_at = serializers.DateTimeField()
    locked_until = serializers.DateTimeField(allow_null=True)


class CheckpointSerializer(serializers.Serializer[AuditCheckpoint]):
    """A signed checkpoint; ``note`` is what was signed (C2SP tlog-checkpoint), the rest repeats or adds to it."""

    size = serializers.IntegerField()
    root = serializers.CharField(help_text="Base64 of 32 bytes.")  # type: ignore[assignment] # C2SP names it so
    time = serializers.DateTimeField()
    note = serializers.CharField()
    witnesses = WitnessReceiptSerializer(many=True)

    def to_representation(self, instance: AuditCheckpoint) -> dict[str, Any]:
        receipts = WitnessReceipt.objects.filter(checkpoint=instance).order_by("held_at")
        return {
            "size": instance.size,
            "root": _base64(instance.root),
            "time": instance.time,
            "note": instance.note,
            "witnesses": [WitnessReceiptSerializer(receipt).data for receipt in receipts],
        }


class CheckpointPageSerializer(serializers.Serializer[Any]):
    data = CheckpointSerializer(many=True)  # type: ignore[assignment]  # every listing of the API names it so
    pagination = PaginationSerializer()


class EventProofSerializer(serializers.Serializer[EventProof]):
    """An inclusion proof (RFC 9162 section 2.1.3) and the same as a file for the offline verifier."""

    event_id = serializers.UUIDField()
    sequence = serializers.IntegerField()
    event = serializers.CharField(allow_null=True, help_text="Base64 of its bytes; null once dropped.")
    leaf_hash = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    checkpoint = CheckpointSerializer()
    tlog_proof = serializers.CharField(help_text="The whole as a C2SP tlog-proof: save it and check it offline.")

    def to_representation(self, instance: EventProof) -> dict[str, Any]:
        return {
            "event_id": str(instance.event_id),
            "sequence": instance.seq,
            "event": _base64(instance.body) if instance.body is not None else None,
            "leaf_hash": _base64(instance.leaf),
            "path": [_base64(one) for one in instance.path],
            "checkpoint": CheckpointSerializer(instance.checkpoint).data,
            "tlog_proof": instance.as_file(),
        }


class ConsistencySerializer(serializers.Serializer[Consistency]):
    """A consistency proof (RFC 9162 section 2.1.4) between two checkpoints."""

    earlier = CheckpointSerializer()
    later = CheckpointSerializer()
    path = serializers.ListField(child=serializers.CharField())

    def to_representation(self, instance: Consistency) -> dict[str, Any]:
        return {
            "earlier": CheckpointSerializer(instance.earlier).data,
            "later": CheckpointSerializer(instance.later).data,
            "path": [_base64(one) for one in instance.path],
        }


class LogKeysSerializer(serializers.Serializer[Any]):
    data = serializers.ListField(  # type: ignore[assignment] # every listing of the API names it so
        child=serializers.CharField(), help_text="Signed-note verifier keys (C2SP), the newest first."
    )


class FindingSerializer(serializers.Serializer[Any]):
    """One damage: where it begins, how far it may reach (null: no further), and what shows it."""

    seq = serializers.IntegerField()
    last = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(choices=[kind.value for kind in Damage])
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment] # what shows it
    meaning = serializers.CharField()

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance | {"meaning": MEANINGS[Damage(instance["kind"])]}


class WitnessStateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    size = serializers.IntegerField()
    state = serializers.ChoiceField(choices=("agrees", "none", "silent", *(kind.value for kind in Damage)))


class VerificationSerializer(serializers.Serializer[AuditVerification]):
    """A verification: ``is_intact`` is null until it has ended, and when it could not look.

    ``is_witnessed`` says whether a witness outside the database confirmed it: without one, intact is what the database
    says of itself.
    """

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.DictField()
    is_intact = serializers.SerializerMethodField()
    is_witnessed = serializers.BooleanField()
    verified = serializers.IntegerField()
    checkpoints = serializers.IntegerField()
    witnesses = WitnessStateSerializer(many=True)
    first_bad_seq = serializers.IntegerField(allow_null=True)
    damage = serializers.CharField()
    findings = FindingSerializer(many=True)
    error = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_is_intact(self, job: AuditVerification) -> bool | None:
        return not job.findings if job.status == JobStatus.SUCCEEDED else None


class VerificationPageSerializer(serializers.Serializer[Any]):
    data = VerificationSerializer(many=True)  # type: ignore[assignment]
