"""Rules of signed notes and checkpoints: the example of C2SP, and everything that must not be taken for one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.note import CheckpointText, InvalidNote, Verifier, open_checkpoint, open_note, sign_note, verifier_of
from audit.log.tree import EMPTY_ROOT

#: The note of the documentation of golang.org/x/mod/sumdb/note, and the verifier key of its signer.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
GO_NOTE = GO_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NAME = "vault.example.org/0198"
TEXT = str(CheckpointText(NAME, 7, EMPTY_ROOT))
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOTE = sign_note(TEXT, NAME, [KEY])


def test_a_note_of_the_go_checksum_database_opens() -> None:
    verifier = Verifier.parse(GO_KEY)
    assert (str(verifier), verifier.key_id.hex()) == (GO_KEY, "c74f20a3")
    assert open_note(GO_NOTE, [verifier]) == (GO_TEXT, [verifier])


def test_a_checkpoint_has_three_lines_and_its_signature() -> None:
    verifier = verifier_of(NAME, KEY)
    assert NOTE.startswith(f"{NAME}\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {NAME} ")
    assert NOTE.count("\n") == 5
    assert open_checkpoint(NOTE, NAME, [verifier]) == CheckpointText(NAME, 7, EMPTY_ROOT)
    assert Verifier.parse(str(verifier)) == verifier


def test_two_keys_sign_one_note_and_either_opens_it() -> None:
    note = sign_note(TEXT, NAME, [KEY, OTHER])
    both = [verifier_of(NAME, KEY), verifier_of(NAME, OTHER)]
    assert open_note(note, both) == (TEXT, both)
    for one in both:
        assert open_note(note, [one]) == (TEXT, [one])


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace(NAME, "vault.example.org/0199"),
        NOTE[:-5] + "AA==\n",
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        NOTE.replace("— ", "- "),
        NOTE.replace("\n7\n", "\n7\r\n"),
        f"{TEXT}\n— {NAME} not-base64!\n",
        f"{TEXT}\n— {NAME} AAAA\n",
        "",
    ],
)
def test_what_was_not_signed_is_refused(note) -> None:
    with pytest.raises(InvalidNote):
        open_note(note, [verifier_of(NAME, KEY)])


def test_a_wrong_signature_under_a_known_key_is_refused_beside_a_right_one() -> None:
    forged = sign_note(f"{TEXT}more\n", NAME, [OTHER]).rpartition("\n\n")[2]
    with pytest.raises(InvalidNote, match="wrong"):
        open_note(NOTE + forged, [verifier_of(NAME, KEY), verifier_of(NAME, OTHER)])
    assert open_note(NOTE + forged, [verifier_of(NAME, KEY)])[0] == TEXT


def test_unknown_keys_and_other_logs_are_refused() -> None:
    with pytest.raises(InvalidNote, match="no known key"):
        open_note(NOTE, [verifier_of(NAME, OTHER)])
    with pytest.raises(InvalidNote, match="another log"):
        open_checkpoint(NOTE, "vault.example.org/0199", [verifier_of(NAME, KEY)])


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n",
        "a\n\u0661\n" + TEXT.split("\n")[2] + "\n",
        TEXT[:-1], f"\n{TEXT}", TEXT.replace("7", "9" * 5000), TEXT.replace("7", "+7"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text) -> None:
    with pytest.raises(InvalidNote):
        CheckpointText.parse(text)


def test_extension_lines_are_passed_over() -> None:
    assert CheckpointText.parse(f"{TEXT}extension\n").size == 7


@pytest.mark.parametrize("key", ["", "a+b", "a+00000000+AQ==", GO_KEY.replace("c74f20a3", "c74f20a4"), GO_KEY[:-4]])
def test_what_is_no_verifier_key_is_refused(key) -> None:
    with pytest.raises(InvalidNote):
        Verifier.parse(key)


@pytest.mark.parametrize(("text", "name"), [("no end", NAME), ("a\x00\n", NAME), (TEXT, "two words"), (TEXT, "a+b")])
def test_no_note_is_made_of_what_is_none(text, name) -> None:
    with pytest.raises(ValueError, match="not the text"):
        sign_note(text, name, [KEY])
