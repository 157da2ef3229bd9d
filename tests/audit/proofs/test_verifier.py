"""Rules of the standalone verifier: it needs nothing of ours, and no changed byte passes."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from audit.log.tree import Frontier, consistency_proof, inclusion_proof, leaf_hash, perfect_root, verify_consistency
from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf
from audit.proofs import verify_export
from audit.proofs.bundle import BundleEvent, public_keys, write_bundle
from audit.proofs.cover import missing_parts
from audit.proofs.events import prove_event
from tests.audit.proofs.logs import event_at, grow
from tests.factories.audit import make_principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Changes tried by one process: one each would take minutes.
DRIVER = """
import sys, zipfile, io, contextlib
from pathlib import Path
import verify_export
files, keys = Path("files"), Path("keys.txt")
names = sorted(one.relative_to(files).as_posix() for one in files.rglob("*") if one.is_file())
contents = {name: (files / name).read_bytes() for name in names}
def passes(changed):
    with zipfile.ZipFile("again.zip", "w") as archive:
        for name, content in changed.items():
            archive.writestr(name, content)
    sys.argv = ["verify_export.py", "--keys", "keys.txt", "again.zip"]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            verify_export.main()
    except SystemExit:
        return False
    return True
assert passes(contents), "the bundle itself"
tried = 0
for name in names:
    step = 61 if name in {"README.txt", "verify_export.py"} else 1  # for people, and as a whole under one hash
    for place in range(0, len(contents[name]), step):
        raw = bytearray(contents[name])
        raw[place] ^= 0x20 if place % 3 else 0x01
        tried += 1
        if passes(contents | {name: bytes(raw)}):
            print("passed:", name, place)
print("tried", tried)
"""


@pytest.fixture
def alone(tmp_path) -> Path:
    """A folder with the verifier and nothing else of the vault's."""
    folder = tmp_path / "alone"
    folder.mkdir()
    shutil.copy(verify_export.__file__, folder / "verify_export.py")
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "verify_export.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def bundle_of(tenant_id, wanted=lambda seq: True) -> bytes:  # noqa: ARG005
    target = io.BytesIO()
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        checkpoint = AuditCheckpoint.objects.order_by("-size").first()
        leaves = AuditLeaf.objects.filter(seq__lt=checkpoint.size).order_by("seq")
        events = (
            BundleEvent(leaf.seq, bytes(AuditEvent.objects.get(pk=leaf.event_id).body))
            for leaf in leaves
            if wanted(leaf.seq)
        )
        write_bundle(target, tenant_id=tenant_id, checkpoint=checkpoint, events=events, about=b"{}\n")
    return target.getvalue()


def write_keys(folder: Path, tenant_id) -> None:
    (folder / "keys.txt").write_text(public_keys(tenant_id))


def test_it_is_short_and_imports_nothing_of_ours() -> None:
    source = Path(verify_export.__file__).read_text()
    assert len(source.splitlines()) < 200
    imported = [
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    ]
    assert set(imported) <= sys.stdlib_module_names | {"cryptography"}


def test_a_proof_file_is_verified_and_every_changed_byte_is_refused(tenant, alone) -> None:
    grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        proof = prove_event(tenant.pk, event_at(tenant.pk, 3))
    write_keys(alone, tenant.pk)
    (alone / "event.tlog-proof").write_text(proof.as_file())
    answer = run(alone, "--keys", "keys.txt", "event.tlog-proof")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "event 3 is in the log" in answer.stdout
    keys = verify_export.read_keys((alone / "keys.txt").read_text())
    raw = proof.as_file().encode()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 0x20 if place % 3 else 0x01
        (alone / "changed.tlog-proof").write_bytes(bytes(changed))
        with pytest.raises((ValueError, verify_export.InvalidSignature)):
            verify_export.check_proof(alone / "changed.tlog-proof", keys)
    (alone / "changed.tlog-proof").write_bytes(bytes(changed))
    refused = run(alone, "--keys", "keys.txt", "changed.tlog-proof")
    assert refused.returncode == 1
    assert refused.stderr.startswith("NOT VERIFIED")


def test_a_bundle_is_verified_and_every_changed_byte_is_refused(tenant, alone) -> None:
    grow(tenant.pk, 2)
    content = bundle_of(tenant.pk, wanted=lambda seq: seq in {1, 3})
    write_keys(alone, tenant.pk)
    (alone / "bundle.zip").write_bytes(content)
    answer = run(alone, "--keys", "keys.txt", "bundle.zip")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "2 events are in the log" in answer.stdout
    with zipfile.ZipFile(alone / "bundle.zip") as archive:
        archive.extractall(alone / "files")
    (alone / "driver.py").write_text("import sys; sys.path.insert(0, '.')\n" + DRIVER)
    tried = subprocess.run(
        [sys.executable, "-I", "driver.py"], cwd=alone, capture_output=True, text=True, check=False, timeout=120
    )
    assert tried.stderr == ""
    (said,) = tried.stdout.splitlines()
    assert int(said.removeprefix("tried ")) > 1500


@pytest.mark.parametrize("change", ["drop a line", "swap two lines", "another place", "an event that never was"])
def test_a_bundle_whose_sums_were_renewed_fails_at_the_root(tenant, alone, change) -> None:
    """SHA256SUMS is for accidents; what counts is the signed root."""
    grow(tenant.pk)
    write_keys(alone, tenant.pk)
    with zipfile.ZipFile(io.BytesIO(bundle_of(tenant.pk, wanted=lambda seq: seq in {1, 2, 4}))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    events, places = files["events.jsonl"].splitlines(keepends=True), files["sequence"].splitlines(keepends=True)
    if change == "drop a line":
        events, places = events[1:], places[1:]
    elif change == "swap two lines":
        events[0], events[1] = events[1], events[0]
    elif change == "another place":
        places[-1] = b"3\n"
    else:
        events[1] = events[1].replace(b'"severity":"info"', b'"severity":"high"')
    files |= {"events.jsonl": b"".join(events), "sequence": b"".join(places)}
    del files["SHA256SUMS"]
    sums = "".join(f"{verify_export.sha256(files[name]).hex()}  {name}\n" for name in sorted(files))
    with zipfile.ZipFile(alone / "bundle.zip", "w") as archive:
        for name, content in (files | {"SHA256SUMS": sums.encode()}).items():
            archive.writestr(name, content)
    refused = run(alone, "--keys", "keys.txt", "bundle.zip")
    assert refused.returncode == 1
    assert "not those of the log" in refused.stderr


def test_a_bundle_of_another_organization_or_key_is_refused(tenant, rival, alone) -> None:
    grow(tenant.pk)
    (alone / "bundle.zip").write_bytes(bundle_of(tenant.pk))
    write_keys(alone, rival.pk)
    refused = run(alone, "--keys", "keys.txt", "bundle.zip")
    assert refused.returncode == 1
    assert "no given key" in refused.stderr


def test_a_checkpoint_kept_elsewhere_is_compared(tenant, rival, alone) -> None:
    grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        kept = AuditCheckpoint.objects.get()
    (alone / "kept").write_text(kept.note)
    write_keys(alone, tenant.pk)
    (alone / "bundle.zip").write_bytes(bundle_of(tenant.pk))
    assert run(alone, "--keys", "keys.txt", "--known", "kept", "bundle.zip").returncode == 0
    grow(tenant.pk)
    (alone / "next.zip").write_bytes(bundle_of(tenant.pk))
    assert run(alone, "--keys", "keys.txt", "--known", "kept", "next.zip").returncode == 0, "the last of its day"
    grow(tenant.pk)
    (alone / "bundle.zip").write_bytes(bundle_of(tenant.pk))
    refused = run(alone, "--keys", "keys.txt", "--known", "kept", "bundle.zip")
    assert "nothing is proven about the checkpoint" in refused.stderr


def tree(size: int):
    leaves = [leaf_hash(b"%d" % seq) for seq in range(size)]

    def subtree(level: int, index: int) -> bytes:
        return perfect_root(leaves[index << level : (index + 1) << level])

    frontier = Frontier()
    roots = []
    for leaf in leaves:
        frontier.append(leaf)
        roots.append(frontier.root())
    return leaves, subtree, roots


def test_it_agrees_with_the_vault_about_every_small_tree() -> None:
    """Two implementations that share no line: every leaf, every beginning, every third set of leaves."""
    leaves, subtree, roots = tree(19)
    for size in range(1, 20):
        for seq in range(size):
            _, root = verify_export.climb(seq, size - 1, leaves[seq], leaves[seq], inclusion_proof(seq, size, subtree))
            assert root == roots[size - 1]
        for old in range(1, size):
            proof = consistency_proof(old, size, subtree)
            earlier = verify_export.Checkpoint("log", old, roots[old - 1])
            later = verify_export.Checkpoint("log", size, roots[size - 1])
            verify_export.check_consistency(earlier, later, proof)
            verify_consistency(old=old, new=size, old_root=roots[old - 1], new_root=roots[size - 1], proof=proof)
            with pytest.raises(ValueError):
                verify_export.check_consistency(earlier._replace(root=bytes(32)), later, proof)
        for chosen in range(0, 1 << size, 3 if size < 8 else (1 << size) // 61):
            numbers = [seq for seq in range(size) if chosen >> seq & 1]
            frontier_of = [
                Frontier(high - low, peaks_of(low, high, subtree)).root() for low, high in missing_parts(numbers, size)
            ]
            given = iter([(seq, leaves[seq]) for seq in numbers])
            assert verify_export.Tree(given, io.BytesIO(b"".join(frontier_of))).root(0, size) == roots[size - 1]


def peaks_of(low: int, high: int, subtree) -> list[bytes]:
    peaks = []
    while low < high:
        level = (high - low).bit_length() - 1
        peaks.append(subtree(level, low >> level))
        low += 1 << level
    return peaks


@pytest.mark.parametrize(
    ("old", "new", "proof"), [(0, 5, []), (0, 5, [bytes(32)]), (5, 5, []), (3, 5, []), (6, 5, [bytes(32)])]
)
def test_proofs_of_nothing_are_refused(old, new, proof) -> None:
    _, _, roots = tree(6)
    earlier = verify_export.Checkpoint("log", old, roots[old - 1])
    with pytest.raises(ValueError):
        verify_export.check_consistency(earlier, verify_export.Checkpoint("log", new, roots[new - 1]), proof)
