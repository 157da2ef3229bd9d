"""Shapes of posture: what a control maps to, and the evidence for it."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models.posture import ControlEvidence, ProbeRun, ProbeState, ProbeTrigger
from compliance.posture.catalog import PROBES
from compliance.posture.evidence import LONGEST_STATEMENT, LONGEST_TITLE, MEDIA_TYPES, MOST_BYTES
from compliance.posture.read import ControlFile
from compliance.posture.signing import as_text
from compliance.posture.standing import ControlStanding, ControlState, Latest
from vaultsite.kernel.jobs import JobStatus


class PostureCountsOutput(serializers.Serializer[Any]):
    """How many controls are in which state."""

    proven = serializers.IntegerField()
    failed = serializers.IntegerField()
    not_proven = serializers.IntegerField()
    outside = serializers.IntegerField()
    attested = serializers.IntegerField()


class ControlOutput(serializers.Serializer[Any]):
    """One control. ``probes`` try it; where there are none, ``outside`` says why and ``evidence`` what to attach."""

    id = serializers.CharField()
    framework = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    subject = serializers.CharField()
    state = serializers.ChoiceField(choices=[one.value for one in ControlState])
    why = serializers.CharField(allow_blank=True)
    as_of = serializers.DateTimeField(allow_null=True)
    probes = serializers.ListField(child=serializers.CharField())
    outside = serializers.CharField(allow_blank=True)
    evidence = serializers.CharField(allow_blank=True)


class PostureFrameworkOutput(serializers.Serializer[Any]):
    framework = serializers.CharField()
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    counts = PostureCountsOutput()
    controls = ControlOutput(many=True)


class ComplianceStatusOutput(serializers.Serializer[Any]):
    """The posture at one moment: what the vault maps to, and what evidence there is for it."""

    at = serializers.DateTimeField()
    counts = PostureCountsOutput()
    frameworks = PostureFrameworkOutput(many=True)


class ProbeResultOutput(serializers.Serializer[Any]):
    """``statement``, ``signature`` and ``signed_by`` are base64; the signature is over a fixed prefix and the bytes."""

    id = serializers.UUIDField()
    run = serializers.UUIDField()
    probe = serializers.CharField()
    title = serializers.CharField()
    tried = serializers.CharField()
    state = serializers.ChoiceField(choices=ProbeState.choices)
    facts = serializers.DictField()
    ended_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    is_signed = serializers.BooleanField()
    statement = serializers.CharField()
    signature = serializers.CharField()
    signed_by = serializers.CharField()


class ProbeRunOutput(serializers.ModelSerializer[ProbeRun]):
    status = serializers.ChoiceField(choices=JobStatus.choices)
    trigger = serializers.ChoiceField(choices=ProbeTrigger.choices)
    progress = serializers.DictField()
    counts = serializers.DictField(child=serializers.IntegerField())
    error = serializers.DictField(allow_null=True)

    class Meta:
        model = ProbeRun
        fields = [
            *("id", "status", "trigger", "progress", "counts", "error_code", "error"),
            *("requested_by", "created_at", "started_at", "finished_at"),
        ]


class ProbeRunDetailOutput(ProbeRunOutput):
    results = ProbeResultOutput(many=True)

    class Meta(ProbeRunOutput.Meta):
        fields = [*ProbeRunOutput.Meta.fields, "results"]


class ProbePagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class ProbeRunListOutput(serializers.Serializer[Any]):
    data = ProbeRunOutput(many=True)  # type: ignore[assignment]
    pagination = ProbePagingOutput()


class ControlEvidenceOutput(serializers.ModelSerializer[ControlEvidence]):
    class Meta:
        model = ControlEvidence
        fields = [
            *("id", "framework", "control", "title", "statement", "media_type", "size", "sha256", "expires_on"),
            *("attested_by", "attested_at", "withdrawn_by", "withdrawn_at"),
        ]


class ControlDetailOutput(ControlOutput):
    """A control with the newest result of each of its probes, and all evidence that was attached."""

    results = ProbeResultOutput(many=True)
    attachments = ControlEvidenceOutput(many=True)


class ProbeKeysOutput(serializers.Serializer[Any]):
    """Ed25519 keys, 32 bytes each in base64; ``prefix`` in base64 is put before a statement when it is signed."""

    prefix = serializers.CharField()
    data = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]


class ControlAttestationInput(StrictInput):
    """``document`` is the file in base64."""

    title = serializers.CharField(max_length=LONGEST_TITLE)
    statement = serializers.CharField(max_length=LONGEST_STATEMENT)
    media_type = serializers.ChoiceField(choices=MEDIA_TYPES)
    expires_on = serializers.DateField()
    document = serializers.CharField(max_length=MOST_BYTES * 4 // 3 + 4)

    def validate_document(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("is not base64") from None


def shown_control(one: ControlStanding) -> dict[str, Any]:
    control = one.control
    return {
        "id": control.id,
        "framework": control.framework,
        "number": control.number,
        "title": control.title,
        "subject": control.subject,
        "state": one.state.value,
        "why": one.why,
        "as_of": one.as_of,
        "probes": list(control.probes),
        "outside": control.outside,
        "evidence": control.evidence,
    }


def shown_result(latest: Latest) -> dict[str, Any]:
    row = latest.result
    probe = PROBES.get(row.probe)
    return {
        "id": row.pk,
        "run": row.run_id,
        "probe": row.probe,
        "title": probe.title if probe else row.probe,
        "tried": probe.tried if probe else "",
        "state": row.state,
        "facts": row.facts,
        "ended_at": row.ended_at,
        "duration_ms": row.duration_ms,
        "is_signed": latest.is_signed,
        "statement": as_text(bytes(row.statement)),
        "signature": as_text(bytes(row.signature)),
        "signed_by": as_text(bytes(row.signed_by)),
    }


def shown_control_file(found: ControlFile) -> dict[str, Any]:
    return {
        **shown_control(found.standing),
        "results": [shown_result(one) for one in found.latest.values() if one is not None],
        "attachments": ControlEvidenceOutput(found.evidence, many=True).data,
    }
