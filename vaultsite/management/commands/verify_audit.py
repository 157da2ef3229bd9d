"""Verify the logs of the audit: recompute everything from the stored bytes and compare it with what was signed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from access.models import Tenant
from access.services.tenants import tenant_by_slug
from audit.proofs.heads import Trust
from audit.proofs.jobs import tell
from audit.proofs.verification import LogVerification
from audit.proofs.witnessed import WitnessAnswer, ask_witnesses
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

DAMAGED = 1
NOT_WITNESSED = 3


class Command(BaseCommand):
    help = (
        "Recomputes the audit log of one organization, or of all, from the stored bytes, and compares it with every "
        "stored checkpoint, with every configured witness and with the files given. Exits with 1 and names the first "
        "bad sequence number when something does not agree, with 3 when no witness confirmed it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", help="slug; all when absent")
        parser.add_argument(
            "--witness",
            action="append",
            type=Path,
            default=[],
            help="a file with a checkpoint that somebody kept elsewhere; may be repeated; needs --organization",
        )

    def handle(self, *_: Any, organization: str | None, witness: list[Path], **__: Any) -> None:
        if witness and not organization:
            raise CommandError("a kept checkpoint is of one organization: name it with --organization")
        try:
            kept = [WitnessAnswer(f"file {path}", (path.read_text("utf-8"),)) for path in witness]
            tenants = [tenant_by_slug(organization)] if organization else list(Tenant.objects.using("system").all())
            done = {tenant.slug: self._verify(tenant.pk, tenant.slug, kept) for tenant in tenants}
        except (VaultError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        if damaged := [slug for slug, verification in done.items() if verification.findings]:
            raise CommandError(f"the audit does not verify: {', '.join(damaged)}", returncode=DAMAGED)
        if alone := [slug for slug, verification in done.items() if not verification.is_witnessed]:
            raise CommandError(f"no witness confirmed the audit: {', '.join(alone)}", returncode=NOT_WITNESSED)

    def _verify(self, tenant_id: UUID, slug: str, kept: list[WitnessAnswer]) -> LogVerification:
        trust, answers = Trust.of(tenant_id), [*ask_witnesses(tenant_id), *kept]
        principal = Principal.system(tenant_id)
        with tenant_scope(tenant_id, principal):
            verification = LogVerification.begin(tenant_id, trust, answers)
        while not verification.is_walked:
            with tenant_scope(tenant_id, principal):
                verification.step()
        with tenant_scope(tenant_id, principal):
            verification.conclude()
            tell(verification)
        walk = verification.walk
        self.stdout.write(f"{slug}: {walk.next_seq} events, {walk.compared} checkpoints")
        if walk.archived:
            self.stdout.write(f"  {walk.archived} of them were read from the archive")
        if walk.removed:
            self.stdout.write(f"  {walk.removed} of them were removed under retention, up to number {walk.removed_to}")
        for one in verification.witnesses:
            self.stdout.write(f"  {one.name}: {one.state}, size {one.size}")
        for found in verification.findings:
            reach = f" to {found.last}" if found.last is not None and found.last > found.seq else ""
            source = f" ({found.source})" if found.source else ""
            self.stdout.write(f"  {found.kind.value} at {found.seq}{reach}: {found.meaning}{source}")
        return verification
