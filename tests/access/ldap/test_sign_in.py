"""People of a directory sign in with the vault's own form: who judges whose password, what comes of it. T31, T35."""

from collections.abc import Callable
from unittest import mock

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed (extra ldap)")

from django.contrib.auth.hashers import Argon2PasswordHasher
from ldap.ldapobject import SimpleLDAPObject

from access.errors import LoginRefused, TooManyAttempts
from access.factors.errors import FactorRefused
from access.federation.errors import OutgoingAddressRefused
from access.federation.ldap.directory import Directory, require_reachable
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ldap.kind import ISSUER
from access.federation.linking import link_identity, map_group
from access.federation.providers import change_settings, find_provider, switch_provider
from access.federation.recheck import recheck_tenant
from access.models import IdentityProvider, LoginThrottle, Tenant, User, VaultSession
from access.selectors import user_principal
from access.services.deprovisioning import deactivate_user
from access.services.prove import prove_by_password
from access.services.sessions import check_login, federated_login, login
from access.services.tenants import operator
from tests.access.ldap.slapd import BASE, PASSWORD, Slapd, free_port, write_certificates
from tests.factories.access import PASSWORD as LOCAL_PASSWORD
from tests.factories.access import acting, make_request, make_user
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded

Make = Callable[..., IdentityProvider]


def enter(tenant: Tenant, username: str, password: str = PASSWORD) -> User:
    return check_login(make_request(), tenant_slug=tenant.slug, username=username, password=password)


def refused(tenant: Tenant, username: str, password: str = PASSWORD) -> None:
    with pytest.raises(LoginRefused):
        enter(tenant, username, password)


def roles_of(tenant: Tenant, user: User) -> set[str]:
    with acting(tenant):
        return set(user_principal(User.objects.get(pk=user.pk)).roles)


def sessions_of(user: User) -> int:
    return VaultSession.objects.using("owner").filter(user=user).count()


def sign_in(tenant: Tenant, username: str, password: str = PASSWORD) -> User:
    request = make_request()
    user = login(request, tenant_slug=tenant.slug, username=username, password=password)
    request.session.save()
    return user


def member_change(verb: str, uid: str) -> str:
    return f"dn: cn=analysts,ou=groups,{BASE}\nchangetype: modify\n{verb}: member\nmember: uid={uid},ou=people,{BASE}\n"


def test_somebody_new_is_brought_with_what_their_groups_give(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    user = enter(tenant, "ann")
    assert (user.username, user.email, user.full_name) == ("ann", "ann@example.org", "Ann Example")
    assert roles_of(tenant, user) == {"viewer"}
    assert not user.has_usable_password()
    assert enter(tenant, "ann") == user


def test_who_is_in_no_mapped_group_has_no_access_and_leaves_no_trace(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    refused(tenant, "bob")
    with acting(tenant):
        assert not User.objects.filter(username="bob").exists()


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("ann", ""), ("*", PASSWORD), ("*)(uid=*", PASSWORD), ("ann\0", PASSWORD), ("dora", PASSWORD)],
)
def test_everybody_else_is_refused_alike(tenant: Tenant, provider: Make, username: str, password: str) -> None:
    provider(tenant)
    refused(tenant, username, password)


def test_a_name_in_another_spelling_is_not_asked_for(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    for spelling in ("\uff41nn", " ann", "ann ", "ann\u00a0", "a\u00adnn"):
        refused(tenant, spelling)


def test_attempts_are_counted_as_those_of_local_users(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    for spelling in ("ann", "ANN", "Ann", "ann", "ann", "ann"):
        refused(tenant, spelling, "wrong")
    LoginThrottle.objects.using("owner").filter(tenant=tenant).update(locked_until="2100-01-01T00:00Z")
    with pytest.raises(TooManyAttempts):
        enter(tenant, "ann")


def test_a_local_user_is_never_judged_by_a_directory(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    local = make_user(tenant, username="ann")
    refused(tenant, "ann")  # with the directory's password of the same name
    assert enter(tenant, "ann", LOCAL_PASSWORD) == local
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=local.pk)
    refused(tenant, "ann")
    with acting(tenant):
        assert User.objects.count() == 1


def test_a_linked_user_is_judged_by_the_directory_alone(
    tenant: Tenant, provider: Make, directory: Callable[..., Directory]
) -> None:
    row = provider(tenant)
    local = make_user(tenant, username="ann.local")
    account = directory().look_up("ann")
    assert account is not None
    with acting(tenant):
        somebody = operator(tenant.pk)
        link_identity(somebody, provider_id=row.pk, username="ann.local", issuer=ISSUER, subject=account.subject)
    refused(tenant, "ann.local", LOCAL_PASSWORD)
    assert enter(tenant, "ann") == local
    with acting(tenant):
        switch_provider(somebody, provider_id=row.pk, is_active=False)
    assert enter(tenant, "ann.local", LOCAL_PASSWORD) == local


def test_a_role_goes_with_the_group_at_the_next_sign_in(tenant: Tenant, provider: Make, slapd: Slapd) -> None:
    provider(tenant)
    user = enter(tenant, "vera")
    slapd.change(member_change("delete", "vera"))
    try:
        refused(tenant, "vera")
        assert roles_of(tenant, user) == set()
    finally:
        slapd.change(member_change("add", "vera"))
    assert enter(tenant, "vera") == user


def test_nested_groups_count_by_option(tenant: Tenant, rival: Tenant, provider: Make) -> None:
    for one, lookup in ((tenant, "member"), (rival, "nested")):
        row = provider(one, group_lookup=lookup)
        with acting(one):
            everybody = f"cn=everybody,ou=groups,{BASE}"
            map_group(operator(one.pk), provider_id=row.pk, external_group=everybody, role="auditor")
    assert roles_of(tenant, enter(tenant, "ann")) == {"viewer"}
    assert roles_of(rival, enter(rival, "ann")) == {"viewer", "auditor"}


def test_who_is_renamed_stays_who_they_are(tenant: Tenant, provider: Make, slapd: Slapd) -> None:
    provider(tenant)
    user = enter(tenant, "vera")
    slapd.change(f"dn: uid=vera,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=vera.b\ndeleteoldrdn: 1\n")
    try:
        assert enter(tenant, "vera.b") == user
        refused(tenant, "vera")
        with acting(tenant):
            prove_by_password(user, PASSWORD)
    finally:
        slapd.change(f"dn: uid=vera.b,ou=people,{BASE}\nchangetype: modrdn\nnewrdn: uid=vera\ndeleteoldrdn: 1\n")


def test_two_tenants_with_one_directory_have_users_of_their_own(tenant: Tenant, rival: Tenant, provider: Make) -> None:
    provider(tenant)
    ours = enter(tenant, "ann")
    refused(rival, "ann")
    provider(rival)
    assert enter(rival, "ann") != ours


def test_the_second_of_two_directories_is_asked_as_well(tenant: Tenant, provider: Make) -> None:
    provider(tenant, slug="a-first", user_filter="(&(uid={username})(sn=Other))")
    provider(tenant, slug="b-second")
    assert enter(tenant, "ann").username == "ann"


def test_an_outage_is_told_alike_and_locks_no_local_user_out(
    tenant: Tenant, provider: Make, events: list[Recorded]
) -> None:
    provider(tenant, servers=[f"ldaps://127.0.0.1:{free_port()}"], timeout_seconds=1)
    keeper = make_user(tenant, username="keeper")
    events.clear()
    problems = []
    for username in ("ann", "nobody", "keeper"):
        with pytest.raises(DirectoryUnavailable) as raised:
            enter(tenant, username, "wrong")
        problems.append(raised.value.as_problem())
    assert problems == [problems[0]] * 3
    assert [one.event.type for one in events] == [EventType.LOGIN_FAILED] * 3
    assert enter(tenant, "keeper", LOCAL_PASSWORD) == keeper


def test_the_session_knows_its_provider_and_ends_with_it(tenant: Tenant, provider: Make) -> None:
    row = provider(tenant)
    request = make_request()
    user = login(request, tenant_slug=tenant.slug, username="ann", password=PASSWORD)
    begun = federated_login(request)
    assert begun is not None
    assert begun.provider_id == row.pk
    with acting(tenant):
        switch_provider(operator(tenant.pk), provider_id=row.pk, is_active=False)
    assert sessions_of(user) == 0
    refused(tenant, "ann")


def test_who_sits_there_proves_it_anew_at_the_directory(tenant: Tenant, provider: Make) -> None:
    provider(tenant)
    user = enter(tenant, "ann")
    with acting(tenant):
        prove_by_password(user, PASSWORD)
        with pytest.raises(FactorRefused):
            prove_by_password(user, "wrong")


def test_sessions_end_at_the_recheck_of_who_is_disabled(tenant: Tenant, provider: Make, slapd: Slapd) -> None:
    provider(tenant)
    kept, gone = sign_in(tenant, "ann"), sign_in(tenant, "vera")
    disabling = f"dn: uid=vera,ou=people,{BASE}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: "
    recheck_tenant(tenant.pk)
    assert (sessions_of(kept), sessions_of(gone)) == (1, 1)
    slapd.change(f"{disabling}514\n")
    try:
        recheck_tenant(tenant.pk)
        assert (sessions_of(kept), sessions_of(gone)) == (1, 0)
        refused(tenant, "vera")
    finally:
        slapd.change(f"{disabling}512\n")


def test_neither_an_outage_nor_a_slip_ends_anything_at_the_recheck(tenant: Tenant, provider: Make) -> None:
    row = provider(tenant)
    user = sign_in(tenant, "ann")
    for changed in ({"servers": [f"ldaps://127.0.0.1:{free_port()}"]}, {"user_base": f"ou=groups,{BASE}"}):
        rows = IdentityProvider.objects.using("owner").filter(pk=row.pk)
        rows.update(settings=row.settings | changed)
        recheck_tenant(tenant.pk)
        assert sessions_of(user) == 1


@pytest.mark.parametrize("who", ["ann", "nobody", "keeper", "dora", "*)(uid=*", "two  spaces"])
def test_every_refusal_costs_one_hash_and_the_same_of_the_directory(tenant: Tenant, provider: Make, who: str) -> None:
    provider(tenant)
    make_user(tenant, username="keeper")
    binds, hashes = SimpleLDAPObject.simple_bind_s, Argon2PasswordHasher
    with (
        mock.patch.object(SimpleLDAPObject, "simple_bind_s", autospec=True, side_effect=binds) as bound,
        mock.patch.object(hashes, "encode", autospec=True, side_effect=hashes.encode) as made,
        mock.patch.object(hashes, "verify", autospec=True, side_effect=hashes.verify) as verified,
    ):
        refused(tenant, who, "wrong")
    assert bound.call_count == 2  # the account that searches, and whoever it found or nobody
    assert made.call_count + verified.call_count == 1


def test_the_password_of_the_service_is_not_sent_to_another_server(
    tenant: Tenant, provider: Make, settings_of: Callable[..., dict[str, object]]
) -> None:
    row = provider(tenant)
    somebody = operator(tenant.pk)
    for changed in ({"servers": ["ldaps://127.0.0.9:636"]}, {"bind_dn": f"cn=other,{BASE}"}, {"ca_certificate": ""}):
        with pytest.raises(InvalidInput) as raised, acting(tenant):
            change_settings(somebody, provider_id=row.pk, name="Corporate", settings=settings_of(**changed))
        assert raised.value.errors[0].field == "secret"
    with acting(tenant):
        change_settings(somebody, provider_id=row.pk, name="Corporate", settings=settings_of(timeout_seconds=3))
        assert find_provider(row.pk).sealed is not None
    assert enter(tenant, "ann").username == "ann"


def test_a_directory_is_called_only_where_the_installation_allows(
    tenant: Tenant, provider: Make, settings: object
) -> None:
    provider(tenant)
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ()}
    with pytest.raises(DirectoryUnavailable):
        enter(tenant, "ann")
    with pytest.raises(DirectoryUnavailable) as raised:
        require_reachable("ldaps://169.254.169.254")
    assert raised.value.reason == OutgoingAddressRefused.title


def test_another_authority_is_an_outage_not_a_sign_in(tenant: Tenant, provider: Make, tmp_path: object) -> None:
    provider(tenant, ca_certificate=write_certificates(tmp_path))
    with pytest.raises(DirectoryUnavailable):
        enter(tenant, "ann")
