"""What is asked of a directory, and what is believed of its answers. T35."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed (extra ldap)")

from access.federation.ldap.directory import Directory
from access.federation.ldap.errors import DirectoryUnavailable
from tests.access.ldap.conftest import ANN_GUID
from tests.access.ldap.slapd import BASE, PASSWORD, Slapd, free_port, write_certificates
from tests.journeys.waiting import until

Make = Callable[..., Directory]
GROUPS = f"ou=groups,{BASE}"


def dns(*names: str) -> tuple[str, ...]:
    return tuple(f"cn={name},{GROUPS}" for name in names)


@contextmanager
def listener(answer: bytes | None = None) -> Iterator[tuple[int, bytearray]]:
    """A server that gives ``answer`` to the first thing it hears, or nothing; and what it heard."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                with peer:
                    while chunk := peer.recv(4096):
                        is_first = not heard
                        heard.extend(chunk)  # before the answer, after which the client may look
                        if answer and is_first:
                            peer.sendall(answer)

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def test_the_right_password_gives_the_account(directory: Make) -> None:
    account = directory().authenticate("ann", PASSWORD)
    assert account is not None
    assert account.dn == f"uid=ann,ou=people,{BASE}"
    assert account.attributes["mail"] == ["ann@example.org"]
    assert account.groups == dns("analysts")
    assert not account.is_disabled


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("ann", "\0"),
        ("nobody", PASSWORD),
        ("*", PASSWORD),
        ("a*", PASSWORD),
        ("*)(uid=*", PASSWORD),
        ("*)(uid=*))(|(uid=*", PASSWORD),
        ("ann)(uid=ann", PASSWORD),
        ("ann\\", PASSWORD),
        ("ann\0", PASSWORD),
        ("(uid=ann)", PASSWORD),
        ("%(user)s", PASSWORD),
        ("{username}", PASSWORD),
        (f"uid=ann,ou=people,{BASE}", PASSWORD),
    ],
)
def test_nobody_else_comes_in(directory: Make, username: str, password: str) -> None:
    assert directory().authenticate(username, password) is None


def test_signs_of_filters_in_a_pattern_are_what_they_look_like(directory: Make) -> None:
    made = directory(user_filter="(&(uid={username})(!(cn=100%)))")
    assert made.authenticate("ann", PASSWORD) is not None


def test_start_tls_serves_as_well(directory: Make, slapd: Slapd) -> None:
    assert directory(servers=[slapd.plain]).authenticate("ann", PASSWORD) is not None


@pytest.mark.parametrize(
    ("lookup", "expected"),
    [
        ("none", ()),
        ("member", dns("analysts")),
        ("member_of", dns("analysts")),
        ("nested", dns("analysts", "everybody", "research")),
    ],
)
def test_groups(directory: Make, lookup: str, expected: tuple[str, ...]) -> None:
    account = directory(group_lookup=lookup).look_up("ann")
    assert account is not None
    assert account.groups == expected


def test_groups_in_a_circle_end(directory: Make, slapd: Slapd) -> None:
    for name, member in (("round", "cn=about"), ("about", "cn=round")):
        slapd.change(
            f"dn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n"
            f"member: {member},{GROUPS}\nmember: uid=gone,ou=people,{BASE}\n",
            "-a",
        )
    account = directory(group_lookup="nested").look_up("gone")
    assert account is not None
    assert account.groups == dns("about", "round")


def test_the_guid_of_active_directory_is_found_again(directory: Make) -> None:
    made = directory(subject_attribute="objectGUID", user_filter="(sAMAccountName={username})")
    account = made.look_up("ann")
    assert account is not None
    assert account.subject == str(ANN_GUID)
    assert made.find(str(ANN_GUID)) == account


def test_an_account_is_found_by_its_subject_under_another_name(directory: Make, slapd: Slapd) -> None:
    made = directory()
    before = made.look_up("vera")
    assert before is not None
    slapd.change(f"dn: uid=vera,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=vera.new\ndeleteoldrdn: 1\n")
    try:
        after = made.find(before.subject)
        assert after is not None
        assert (after.subject, after.attributes["uid"]) == (before.subject, ["vera.new"])
        assert made.look_up("vera") is None
    finally:
        slapd.change(f"dn: uid=vera.new,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=vera\ndeleteoldrdn: 1\n")


def test_an_account_outside_the_filter_is_not_found_by_its_subject(directory: Make) -> None:
    account = directory().look_up("bob")
    assert account is not None
    assert directory(user_filter="(&(uid={username})(sn=Other))").find(account.subject) is None


def test_the_disabled_are_told_as_such(directory: Make) -> None:
    account = directory().authenticate("dora", PASSWORD)
    assert account is not None
    assert account.is_disabled


def test_two_of_one_name_are_nobody(directory: Make) -> None:
    assert directory(user_filter="(|(uid={username})(uid=bob))").authenticate("ann", PASSWORD) is None


def test_a_server_of_another_authority_is_not_asked(directory: Make, tmp_path: object) -> None:
    with pytest.raises(DirectoryUnavailable):
        directory(ca_certificate=write_certificates(tmp_path)).authenticate("ann", PASSWORD)


def test_start_tls_with_another_authority_is_refused(directory: Make, slapd: Slapd, tmp_path: object) -> None:
    with pytest.raises(DirectoryUnavailable):
        directory(servers=[slapd.plain], ca_certificate=write_certificates(tmp_path)).authenticate("ann", PASSWORD)


def test_a_certificate_of_another_host_is_refused(directory: Make, slapd: Slapd) -> None:
    with pytest.raises(DirectoryUnavailable):
        directory(servers=[slapd.other_address]).authenticate("ann", PASSWORD)


#: ExtendedResponses to message 1 (RFC 4511 section 4.12): protocolError, as from a server without StartTLS or from
#: somebody between who strips it; and success, after which the other side may say nothing more.
_NO_START_TLS = bytes.fromhex("300c02010178070a010204000400")
_START_TLS = bytes.fromhex("300c02010178070a010004000400")


def test_without_start_tls_no_password_leaves(directory: Make) -> None:
    with listener(_NO_START_TLS) as (port, heard), pytest.raises(DirectoryUnavailable):
        directory(servers=[f"ldap://127.0.0.1:{port}"]).authenticate("ann", PASSWORD)
    assert b"1.3.6.1.4.1.1466.20037" in heard  # it was asked to start TLS
    assert b"password" not in heard


def test_a_server_that_is_down_is_passed_over(directory: Make, slapd: Slapd) -> None:
    made = directory(servers=[f"ldaps://127.0.0.1:{free_port()}", slapd.tls])
    assert made.authenticate("ann", PASSWORD) is not None


@pytest.mark.parametrize(("scheme", "answer"), [("ldap", None), ("ldaps", None), ("ldap", _START_TLS)])
def test_a_server_that_says_nothing_is_given_up_in_time(directory: Make, scheme: str, answer: bytes | None) -> None:
    with listener(answer) as (port, _):
        began = time.monotonic()
        with pytest.raises(DirectoryUnavailable):
            directory(servers=[f"{scheme}://127.0.0.1:{port}"], timeout_seconds=1).authenticate("ann", PASSWORD)
        assert time.monotonic() - began < 30


def test_a_server_that_failed_is_left_alone_for_a_while(directory: Make) -> None:
    with listener() as (port, heard):
        made = directory(servers=[f"ldap://127.0.0.1:{port}"], timeout_seconds=1)
        for _ in range(2):
            with pytest.raises(DirectoryUnavailable):
                made.authenticate("ann", PASSWORD)
        until(lambda: heard, seconds=20)
        assert heard.count(b"1.3.6.1.4.1.1466.20037") == 1


def test_the_wrong_password_of_the_service_is_no_refusal_of_the_user(directory: Make) -> None:
    with pytest.raises(DirectoryUnavailable) as raised:
        directory(password="wrong").authenticate("ann", PASSWORD)
    assert raised.value.reason == "Invalid credentials"


def test_referrals_are_not_followed(directory: Make, slapd: Slapd) -> None:
    with listener() as (port, heard):
        slapd.change(
            f"dn: ou=elsewhere,ou=people,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\n"
            f"ou: elsewhere\nref: ldap://127.0.0.1:{port}/ou=people,{BASE}\n",
            "-a",
        )
        try:
            assert directory().authenticate("ann", PASSWORD) is not None
            assert directory().authenticate("zoe", PASSWORD) is None
            with pytest.raises(DirectoryUnavailable):
                directory(user_base=f"ou=elsewhere,ou=people,{BASE}").authenticate("ann", PASSWORD)
        finally:
            slapd.change(f"dn: ou=elsewhere,ou=people,{BASE}\nchangetype: delete\n", "-M")
    assert not heard


def test_more_groups_than_anybody_has_are_refused_not_cut(directory: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.federation.ldap.backend.PAGE", 1)
    bob = directory(group_filter="(|(objectClass=*)(cn=*))", group_lookup="member").look_up("bob")
    assert bob is not None
    assert bob.groups == dns("everybody")
    monkeypatch.setattr("access.federation.ldap.backend.MOST_ENTRIES", 0)
    with pytest.raises(DirectoryUnavailable):
        directory().look_up("bob")


def test_groups_nested_deeper_than_anybody_needs_are_refused(directory: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.federation.ldap.backend.MOST_LEVELS", 2)
    with pytest.raises(DirectoryUnavailable):
        directory(group_lookup="nested").look_up("ann")
