"""Rules of the standalone verifier: it needs nothing of ours, and no changed byte passes."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from datasets.passport import verify
from datasets.services.exports.statement import public_keys
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.exports import contents, export, saved

ROWS = [{"id": f"r{number}", "text": f"row {number}, ada{number}@example.com"} for number in range(6)]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def refused(passport, others, **how):
    try:
        verify.verify(passport, others, **how)
    except (verify.Mismatch, KeyError, TypeError, ValueError, EOFError):
        return True
    return False


def passes_when_flipped(path, check):
    """The places of a file whose flipping goes unnoticed; one bit a byte, a different one each time."""
    whole, passed = path.read_bytes(), []
    for place, byte in enumerate(whole):
        path.write_bytes(whole[:place] + bytes([byte ^ (1 << place % 8)]) + whole[place + 1 :])
        if not check():
            passed.append(place)
    path.write_bytes(whole)
    return passed


@pytest.mark.parametrize(
    ("role", "given"),
    [
        ("data_steward", {}),
        ("data_steward", {"envelope": True, "compression": "gzip"}),
        ("data_scientist", {"split": {"shares": ("0.5", "0", "0.5")}}),
        ("data_scientist", {"format": "csv"}),
    ],
)
def test_no_flipped_byte_passes(tenant, dataset, tmp_path, role, given):
    passport, others = saved(tmp_path, contents(tenant, export(tenant, dataset, role=role, **given)))
    verify.verify(passport, others)
    for path in (passport, *others):
        assert passes_when_flipped(path, lambda: refused(passport, others)) == [], path.name
    verify.verify(passport, others)


def test_every_bit_of_the_signature_counts(tenant, dataset, tmp_path):
    passport, others = saved(tmp_path, contents(tenant, export(tenant, dataset)))
    whole = passport.read_bytes()
    start = whole.index(b'"signature":"') + len(b'"signature":"')
    for place in range(start, start + 128):
        for bit in range(8):
            passport.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
            assert refused(passport, others), (place, bit)


def test_added_and_missing_bytes_and_files_do_not_pass(tenant, dataset, tmp_path):
    split = {"shares": ("0.5", "0", "0.5")}
    passport, others = saved(tmp_path, contents(tenant, export(tenant, dataset, split=split)))
    for path in (passport, *others):
        whole = path.read_bytes()
        for changed in (whole + b"\n", whole[:-1], b" " + whole, b""):
            path.write_bytes(changed)
            assert refused(passport, others) or changed == whole, path.name
        path.write_bytes(whole)
    assert refused(passport, others[:1])
    assert not refused(passport, others[:1], partial=True)
    stranger = tmp_path / "more.jsonl"
    stranger.write_bytes(b"{}\n")
    assert refused(passport, [*others, stranger])


def test_a_passport_signed_by_another_key_is_found_out_by_the_key(tenant, rival, dataset, tmp_path):
    passport, others = saved(tmp_path, contents(tenant, export(tenant, dataset)))
    with acting(tenant):
        (mine,) = public_keys()
    theirs_dataset = make_dataset(rival)
    upload(rival, theirs_dataset, jsonl(ROWS))
    forged, copies = saved(tmp_path / "forged", contents(rival, export(rival, theirs_dataset)))
    assert not refused(passport, others, pinned=mine["public_key"])
    assert not refused(forged, copies)
    assert refused(forged, copies, pinned=mine["public_key"])
    assert json.loads(passport.read_text())["signer"]["key_id"] == mine["key_id"]


@pytest.mark.parametrize("given", [{}, {"envelope": True}])
def test_a_proof_that_does_not_lead_to_the_root_is_refused(tenant, dataset, tmp_path, given):
    files = contents(tenant, export(tenant, dataset, **given))
    passport = verify.read_passport(files["passport.json"])
    rows, root = files["export.jsonl"].splitlines(), passport["source"]["root"]
    assert {proof["row"] for proof in passport["proofs"]} == set(range(6))
    for proof in passport["proofs"]:
        verify.check_proof(rows[proof["row"]], proof, root)
        for wrong in (
            lambda proof=proof: verify.check_proof(rows[proof["row"]] + b" ", proof, root),
            lambda proof=proof: verify.check_proof(rows[proof["row"]], proof | {"nonce": "00" * 16}, root),
            lambda proof=proof: verify.check_proof(rows[proof["row"]], proof | {"steps": proof["steps"][:1]}, root),
            lambda proof=proof: verify.check_proof(rows[proof["row"]], proof, "00" * 32),
        ):
            with pytest.raises(verify.Mismatch):
                wrong()


def test_it_runs_where_the_vault_is_not(tenant, dataset, tmp_path):
    passport, others = saved(tmp_path / "files", contents(tenant, export(tenant, dataset)))
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(verify.__file__, alone / "verify.py")
    # As a program of its own: nothing on the path but the standard library and site-packages.
    command = [sys.executable, "-I", "verify.py", str(passport), *map(str, others)]
    good = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "verified"), good.stderr
    others[0].write_bytes(others[0].read_bytes().replace(b"row 3", b"row 4"))
    bad = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stderr) == (1, "NOT VERIFIED: export.jsonl is not the file that was exported\n")


def test_it_asks_for_the_standard_library_and_cryptography_alone():
    program = textwrap.dedent("""
        import runpy, sys
        runpy.run_path(sys.argv[1], run_name="verify")
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(" ".join(sorted(loaded - set(sys.stdlib_module_names))))
    """)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.append({str(_packages())!r})\n{program}",
            verify.__file__,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) - {"_cffi_backend", "_openssl", "__main__"} <= {"cryptography"}


def _packages():
    import cryptography

    return Path(cryptography.__file__).parents[1]
