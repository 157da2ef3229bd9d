"""Seed the demo tenants: people in every role, and sample datasets that went through the write path."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings

from access.models import Tenant
from access.policy.builtin import ROLES
from datasets.models import Dataset, Ingest, IngestFormat
from datasets.services.datasets import DatasetFacts, create_dataset
from datasets.services.release_rules import NewRules, declare_release_rules, rules_of
from datasets.services.write import UploadOptions
from vaultsite.demo.access_story import tell_access_story
from vaultsite.demo.compliance_story import tell_compliance_story
from vaultsite.demo.credentials import Login, read_logins, write_logins
from vaultsite.demo.evidence_story import tell_evidence_story
from vaultsite.demo.people import ensure_tenant, ensure_users, principal_named
from vaultsite.demo.story import tell_story
from vaultsite.demo.uploads import complete, send_file
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.runtime.home import Home

SAMPLES: Final = Path(__file__).resolve().parents[2] / "datasets" / "samples"
#: Slug and name of the tenants.
TENANTS: Final = (("demo", "Larkspur Home (demo)"), ("rival", "Rival Systems (demo)"))
STEWARD: Final = "data-steward"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """A dataset of a demo tenant, made from the first ``lines`` of a sample file (None: from all of it)."""

    tenant: str
    name: str
    description: str
    classification: str
    file: str
    tags: tuple[str, ...]
    lines: int | None = None

    def facts(self) -> DatasetFacts:
        return DatasetFacts(
            name=self.name, description=self.description, classification=self.classification, tags=self.tags
        )

    def options(self) -> UploadOptions:
        form = IngestFormat(Path(self.file).suffix.removeprefix("."))
        return UploadOptions(format=form, message="sample data")

    def blocks(self) -> Iterator[bytes]:
        with (SAMPLES / self.file).open("rb") as file:
            yield from islice(file, self.lines)


DATASETS: Final = (
    Sample(
        "demo", "support-chats", "Support conversations, some with tool calls", "pii", "support_chats.jsonl",
        ("chat", "sample"),
    ),
    Sample(
        "demo", "instruction-pairs", "Instruction, input and output for fine-tuning", "pii", "instruction_pairs.jsonl",
        ("fine-tuning", "sample"),
    ),
    Sample(
        "demo", "preference-pairs", "Prompts with a chosen and a rejected answer", "confidential",
        "preference_pairs.jsonl", ("preference", "sample"),
    ),
    Sample(
        "demo", "evaluation-set", "Questions with context and expected answers", "internal", "evaluation_set.csv",
        ("evaluation", "sample"),
    ),
    Sample(
        "rival", "instruction-pairs", "Instruction, input and output for fine-tuning", "confidential",
        "instruction_pairs.jsonl", ("fine-tuning", "sample"), lines=40,
    ),
)  # fmt: skip


class SeedFailed(Exception):
    """A sample could not be ingested; the message says which and why."""


def seed(say: Say) -> None:
    """Bring the demo tenants to their wanted state, whatever an earlier run left; running it again changes nothing.

    Needs the ``owner`` connection. Writes the logins to VAULT_HOME/credentials before it makes the users. Raises
    SeedFailed, and VaultError where a service refuses.
    """
    logins, fresh = _logins(Home(settings.VAULT_HOME).credentials)
    tenants = {}
    for slug, name in TENANTS:
        tenants[slug] = tenant = ensure_tenant(slug, name)
        own, new = ([login for login in group if login.organization == slug] for group in (logins, fresh))
        made = ensure_users(tenant, own, new=new)
        say(f"organization {slug}: {len(own)} users, {made} of them new; no role of it asks for a second factor")
    for sample in DATASETS:
        seed_dataset(tenants[sample.tenant], sample, say)
    tell_story(tenants["demo"], DATASETS[0].name, SAMPLES / DATASETS[0].file, say)
    tell_access_story(tenants["demo"], say)
    tell_evidence_story(tenants["demo"], say)
    tell_compliance_story(tenants["demo"], say)


def _logins(path: Path) -> tuple[list[Login], list[Login]]:
    """All logins, on disk when this returns, and those of them that were not there before."""
    known = {(login.organization, login.role): login for login in read_logins(path)}
    wanted = [(slug, role) for slug, _ in TENANTS for role in ROLES]
    fresh = {place: Login.generate(*place) for place in wanted if place not in known}
    logins = [known.get(place) or fresh[place] for place in wanted]
    if fresh:
        write_logins(path, logins)
    return logins, list(fresh.values())


def seed_dataset(tenant: Tenant, sample: Sample, say: Say) -> None:
    """Make the sample's dataset, its release rules and its version, or what is missing of them. Raises SeedFailed."""
    steward = principal_named(tenant, STEWARD)
    with tenant_scope(tenant.pk, steward):
        dataset = Dataset.objects.filter(name=sample.name).first()
        if dataset is None:
            dataset = create_dataset(steward, facts=sample.facts())
        if rules_of(dataset.pk) is None:
            # Each record of a sample is a conversation, pair or question of its own; nobody occurs in two on purpose.
            rules = NewRules("id", insensitive=("language",))
            declare_release_rules(steward, dataset_id=dataset.pk, new=rules)
        if dataset.versions.exists():
            say(f"{tenant.slug}/{sample.name}: there already")
            return
        # An upload that was cut off has no ingest and is sent again; a queued ingest only has to be waited for.
        unfinished = Ingest.objects.filter(dataset=dataset).exclude(status__in=FINAL).first()
    ingest = unfinished or send_file(steward, dataset.pk, sample.blocks(), sample.options())
    _complete(steward, ingest, f"{tenant.slug}/{sample.name}", say)


def _complete(principal: Principal, ingest: Ingest, title: str, say: Say) -> None:
    done = complete(principal.tenant_id, ingest.pk, _Teller(title, say))
    if done.status != JobStatus.SUCCEEDED or done.version is None:
        raise SeedFailed(f"{title}: the ingest ended as {done.status} ({done.error_code or 'no error'})")
    say(f"{title}: {done.version.record_count} records as {done.version.label}")


class _Teller:
    """Says how an ingest comes along, each news once."""

    def __init__(self, title: str, say: Say) -> None:
        self._title = title
        self._say = say
        self._latest = ("", -1)

    def __call__(self, stage: str, records: int) -> None:
        if (stage, records) != self._latest:
            self._latest = (stage, records)
            self._say(f"{self._title}: {stage}, {records} records")
