"""What of a directory's settings is kept, and what is refused before anything is asked."""

from typing import Any

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed (extra ldap)")

from access.federation.ldap.rules import GroupLookup, normal_dn, read_rules
from tests.access.ldap.slapd import BASE, BIND_DN
from vaultsite.kernel.errors import InvalidInput

WHOLE = {"servers": ["ldaps://ldap.example.org:636"], "bind_dn": BIND_DN, "user_base": BASE}


def test_the_least_that_must_be_said() -> None:
    rules = read_rules(WHOLE)
    assert rules.servers == ("ldaps://ldap.example.org:636",)
    assert rules.group_lookup is GroupLookup.NONE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("servers", []),
        ("servers", "ldaps://ldap.example.org"),
        ("servers", ["ldaps://a"] * 6),
        ("servers", ["ldapi:///var/run/slapd"]),
        ("servers", ["http://ldap.example.org"]),
        ("servers", ["ldaps://"]),
        ("servers", ["ldaps://a:0"]),
        ("servers", ["ldaps://a:99999"]),
        ("servers", ["ldaps://user@a"]),
        ("servers", ["ldaps://a/dc=example?uid?sub"]),
        ("servers", ["ldaps://a ldap://b"]),
        ("servers", ["ldaps://a\nldap://b"]),
        ("servers", [7]),
        ("bind_dn", ""),
        ("bind_dn", "vault"),
        ("user_base", "not a dn"),
        ("user_filter", "(uid=ann)"),
        ("user_filter", "uid={username}"),
        ("user_filter", "(uid={username})(sn=*"),
        ("user_filter", "(uid={username}))(|(uid=*)"),
        ("user_filter", "(uid={username})(sn=*)"),
        ("disabled_filter", "locked"),
        ("subject_attribute", "entryUUID=*)(uid"),
        ("subject_attribute", ""),
        ("member_attribute", "member:1.2:"),
        ("group_lookup", "all"),
        ("group_lookup", "member"),
        ("ca_certificate", "not a certificate"),
        ("timeout_seconds", 0),
        ("timeout_seconds", 31),
        ("timeout_seconds", True),
        ("start_tls", False),
    ],
)
def test_a_misfit_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_rules(WHOLE | {name: value})
    named = "group_base" if value == "member" else name
    assert [problem.field for problem in raised.value.errors] == [named]


def test_a_dn_has_one_spelling() -> None:
    assert normal_dn("CN=All Staff , OU=Groups,DC=Example,dc=org") == "cn=all staff,ou=groups,dc=example,dc=org"
    with pytest.raises(ValueError, match="all staff"):
        normal_dn("all staff")
