"""Rules of the pages between a password and being signed in, and of those that ask to confirm."""

import base64
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from access.auth.sessions import SessionStore
from access.models import RecoveryCode, TotpDevice, VaultSession
from access.services.assurance import sign_in_rules
from access.services.tenants import operator
from tests.factories.access import PASSWORD, acting, hold_locks, make_user
from tests.factories.factors import ask_for_second_factor, code_for, enrol_app, old_proof, seed_of
from tests.factories.pages import browser_of, events_of, opened

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

LOGIN = "/admin/login/"
SHOW = "/admin/access-control/second-factor/"
ADD = "/admin/access-control/second-factor/add/"
CONFIRM = "/admin/access-control/confirm/"
ACCOUNT = "/admin/access-control/account/"
SESSIONS = "/admin/access-control/sessions/"
RULES = "/admin/access-control/sign-in-rules/"
DATASETS = "/admin/datasets/dataset/"


def password_shown(tenant, user, **extra):
    client = Client(SERVER_NAME="localhost")
    form = {"organization": tenant.slug, "username": user.username, "password": PASSWORD, **extra}
    return client, client.post(LOGIN, form)


def cookie_of(client):
    return client.cookies["vault_session"].value


def test_without_factor_and_rule_the_password_is_enough(tenant):
    client, answer = password_shown(tenant, make_user(tenant, "analyst"))
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_who_must_have_a_second_factor_adds_one_before_anything_else_opens(tenant):
    ask_for_second_factor(tenant, "data_steward")
    client, answer = password_shown(tenant, make_user(tenant, "data_steward"), next=DATASETS)
    assert answer["Location"] == SHOW
    for path in ("/admin/", DATASETS, ACCOUNT, SESSIONS, "/admin/password_change/"):
        assert client.get(path)["Location"] == SHOW
    assert client.get("/api/v1/datasets").json()["code"] == "VAULT_AUTH_1200"
    assert client.get(SHOW)["Location"] == ADD
    before = cookie_of(client)

    page = client.get(ADD)
    assert "nothing else opens before" in page.text
    wrong = client.post(ADD, {"act": "app", "name": "Phone", "code": "000000"})
    assert wrong.status_code == 401
    assert seed_of(wrong.text) == seed_of(page.text)
    made = client.post(ADD, {"act": "app", "name": "Phone", "code": code_for(seed_of(page.text))})

    codes = re.search(r"<pre[^>]*>([^<]+)</pre>", made.text)[1].split()
    assert len(codes) == 10
    assert "no-store" in made["Cache-Control"]
    assert f'href="{DATASETS}"' in made.text
    assert cookie_of(client) != before
    assert client.get(DATASETS).status_code == 200


def test_a_cookie_from_before_the_second_factor_opens_nothing_after_it(tenant):
    """T33."""
    user = make_user(tenant, "data_steward")
    seed = enrol_app(tenant, user)
    client, answer = password_shown(tenant, user)
    assert answer["Location"] == SHOW
    stale = Client(SERVER_NAME="localhost")
    stale.cookies["vault_session"] = cookie_of(client)
    assert client.post(SHOW, {"act": "app", "code": code_for(seed)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert stale.get("/admin/")["Location"].startswith(LOGIN)
    assert stale.post(SHOW, {"act": "app", "code": code_for(seed, ahead=1)})["Location"] == LOGIN


def test_who_has_a_factor_cannot_add_another_instead_of_showing_it(tenant):
    user = make_user(tenant, "analyst")
    enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    assert client.get(ADD)["Location"] == SHOW
    assert client.post(ADD, {"act": "app", "name": "Mine", "code": "123456"})["Location"] == SHOW


def test_a_refused_code_says_no_more_than_that(tenant):
    user = make_user(tenant, "analyst")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    told = set()
    for sent in ({"act": "app", "code": "000000"}, {"act": "recovery", "code": "A" * 24}, {"act": "key"}, {}):
        answer = client.post(SHOW, sent)
        assert answer.status_code == 401
        told.add(re.search(r'role="alert">\s*(.+?)\s*<', answer.text)[1])
    assert told == {"This did not confirm that it is you."}
    assert client.post(SHOW, {"act": "app", "code": code_for(seed)}).status_code == 302


def test_guessing_codes_is_slowed_down_whatever_the_address(tenant):
    """T31: the password was right, the codes are guessed, the address is another each time."""
    user = make_user(tenant, "analyst")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)

    def guess_from(n: int) -> int:
        told = {"X-Forwarded-For": f"203.0.113.{n}"}
        return client.post(SHOW, {"code": "000000"}, REMOTE_ADDR=f"198.51.100.{n}", headers=told).status_code

    assert [guess_from(n) for n in range(6)] == [401] * 6
    hold_locks()
    assert guess_from(6) == 429
    locked = client.post(SHOW, {"code": code_for(seed)})
    assert (locked.status_code, locked["Retry-After"]) == (429, "30")


def test_a_recovery_code_opens_once(tenant):
    user = make_user(tenant, "analyst")
    codes = []
    enrol_app(tenant, user, codes=codes)
    client, _ = password_shown(tenant, user)
    assert client.post(SHOW, {"act": "recovery", "code": codes[0].lower().replace("-", " ")}).status_code == 302
    again, _ = password_shown(tenant, user)
    assert again.post(SHOW, {"act": "recovery", "code": codes[0]}).status_code == 401
    assert "9 codes left" in client.get(ACCOUNT).text
    stored = RecoveryCode.objects.using("owner").filter(user=user)
    assert all(code.replace("-", "").encode() not in bytes(row.code_hash) for row in stored for code in codes)


def test_a_half_signed_in_browser_waits_ten_minutes_and_no_longer(tenant):
    user = make_user(tenant, "analyst")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    rows = VaultSession.objects.using("owner").filter(user=user)
    assert rows.get().expires_at <= timezone.now() + timedelta(minutes=10)
    rows.update(expires_at=timezone.now())
    assert client.post(SHOW, {"code": code_for(seed)})["Location"] == LOGIN


def test_the_seed_is_shown_while_it_is_added_and_never_after(tenant):
    """T32."""
    user = make_user(tenant, "analyst")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    client.post(SHOW, {"code": code_for(seed)})
    spelled = base64.b32encode(seed).decode()
    for path in (ACCOUNT, ADD):
        assert spelled not in client.get(path).text
    row = TotpDevice.objects.using("owner").get(user=user)
    assert seed not in bytes(row.sealed)


def test_a_sensitive_page_asks_an_old_session_to_confirm_and_goes_on(tenant):
    client = browser_of(tenant, "tenant_admin")
    add = "/admin/access/rolebinding/add/"
    assert client.get(add).status_code == 200
    old_proof(client)
    answer, request_id = opened(client, add)
    assert answer["Location"] == f"{CONFIRM}?next=%2Fadmin%2Faccess%2Frolebinding%2Fadd%2F"
    (event,) = events_of(tenant, request_id)
    assert (event.status, event.type) == ("denied", "admin.access.write")

    before = cookie_of(client)
    assert client.post(CONFIRM, {"act": "password", "password": "wrong", "next": add}).status_code == 401
    done = client.post(CONFIRM, {"act": "password", "password": PASSWORD, "next": add})
    assert done["Location"] == add
    assert cookie_of(client) != before
    assert client.get(add).status_code == 200


def test_confirming_leads_to_no_other_site(tenant):
    client = browser_of(tenant, "tenant_admin")
    answer = client.post(CONFIRM, {"act": "password", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


def test_who_has_a_factor_confirms_with_it_and_not_with_the_password(tenant):
    user = make_user(tenant, "tenant_admin")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    client.post(SHOW, {"code": code_for(seed)})
    assert 'name="password"' not in client.get(CONFIRM).text
    assert client.post(CONFIRM, {"act": "password", "password": PASSWORD}).status_code == 401
    assert client.post(CONFIRM, {"act": "app", "code": code_for(seed, ahead=1)}).status_code == 302


def test_an_old_session_cannot_act_through_the_api(tenant):
    client = browser_of(tenant, "tenant_admin")
    old_proof(client)
    key = "/api/v1/keys"
    answer = client.post(
        f"{key}/{operator(tenant.pk).id}/destruction", {"reason": "x"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_AUTH_1201")


def test_the_account_page_lists_factors_codes_and_browsers(tenant):
    user = make_user(tenant, "viewer")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    client.post(SHOW, {"code": code_for(seed)}, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"})
    page = client.get(ACCOUNT).text
    assert "Authenticator app" in page
    assert "10 codes left" in page
    assert "Firefox on Linux" in page
    assert "this one" in page
    renewed = client.post(ACCOUNT, {"act": "codes"})
    assert "open nothing any more" in renewed.text
    factor = TotpDevice.objects.using("owner").get(user=user)
    assert client.post(ACCOUNT, {"act": "remove", "id": str(factor.pk)})["Location"] == ACCOUNT
    assert not RecoveryCode.objects.using("owner").filter(user=user).exists()


def test_the_last_factor_stays_where_a_role_asks_for_one(tenant):
    user = make_user(tenant, "viewer")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    client.post(SHOW, {"code": code_for(seed)})
    ask_for_second_factor(tenant, "viewer")
    factor = TotpDevice.objects.using("owner").get(user=user)
    answer = client.post(ACCOUNT, {"act": "remove", "id": str(factor.pk)})
    assert (answer.status_code, "VAULT_AUTH_1204" in answer.text) == (409, True)


def test_a_rule_that_comes_later_holds_for_open_sessions(tenant):
    client = browser_of(tenant, "analyst")
    assert client.get("/admin/").status_code == 200
    ask_for_second_factor(tenant, "analyst")
    assert client.get("/admin/")["Location"] == SHOW
    assert client.get(SHOW)["Location"] == ADD
    page = client.get(ADD)
    done = client.post(ADD, {"act": "app", "name": "Phone", "code": code_for(seed_of(page.text))})
    assert done.status_code == 200
    assert client.get("/admin/").status_code == 200


def test_a_person_signs_another_browser_of_theirs_out(tenant):
    user = make_user(tenant, "viewer")
    here, _ = password_shown(tenant, user)
    there, _ = password_shown(tenant, user)
    assert there.get("/admin/").status_code == 200
    rows = {str(row.pk) for row in VaultSession.objects.using("owner").filter(user=user)}
    mine = str(SessionStore(cookie_of(here)).load() and _row_id(here))
    (other,) = rows - {mine}
    assert here.post(ACCOUNT, {"act": "end", "id": other})["Location"] == ACCOUNT
    assert there.get("/admin/").status_code == 302
    assert here.get("/admin/").status_code == 200
    assert here.post(ACCOUNT, {"act": "end", "id": other}).status_code == 404


def _row_id(client):
    store = SessionStore(cookie_of(client))
    store.load()
    return store.row_id


def test_a_security_officer_ends_sessions_and_an_analyst_sees_none(tenant):
    victim, _ = password_shown(tenant, make_user(tenant, "analyst", username="the-analyst"))
    officer = browser_of(tenant, "security_officer")
    assert victim.get(SESSIONS).status_code == 403
    page = officer.get(SESSIONS)
    assert "the-analyst" in page.text
    started = timezone.now()
    assert officer.post(SESSIONS, {"act": "end", "id": str(_row_id(victim))})["Location"] == SESSIONS
    assert victim.get("/admin/").status_code == 302
    assert timezone.now() - started < timedelta(seconds=20)
    old_proof(officer)
    assert officer.post(SESSIONS, {"act": "end", "id": str(operator(tenant.pk).id)})["Location"].startswith(CONFIRM)


def test_rules_are_changed_by_who_manages_them_and_read_by_auditors(tenant):
    officer, auditor = browser_of(tenant, "security_officer"), browser_of(tenant, "auditor")
    given = {"mfa_roles": ["analyst"], "mfa_classifications": ["restricted"], "step_up_minutes": 5, "max_sessions": 3}
    assert auditor.get(RULES).status_code == 200
    assert auditor.post(RULES, given).status_code == 403
    assert officer.post(RULES, given | {"step_up_minutes": 0}).status_code == 200
    assert officer.post(RULES, given)["Location"] == RULES
    with acting(tenant):
        rules = sign_in_rules()
    assert (rules.mfa_roles, rules.mfa_classifications) == ({"analyst"}, {"restricted"})
    assert (rules.step_up, rules.max_sessions) == (timedelta(minutes=5), 3)


@pytest.mark.parametrize("path", [SHOW, ADD, CONFIRM, ACCOUNT])
def test_a_form_without_its_token_is_refused(tenant, path):
    """T34."""
    client = browser_of(tenant, "tenant_admin")
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.cookies["vault_session"] = cookie_of(client)
    answer = strict.post(path, {"act": "end_others"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", [SHOW, ADD, CONFIRM])
def test_nobody_is_asked_for_a_password_first(path):
    assert Client(SERVER_NAME="localhost").get(path)["Location"] == LOGIN


def test_guessing_ones_own_password_is_slowed_down(tenant):
    """T31: a borrowed session is no oracle of the password."""
    client = browser_of(tenant, "viewer")
    new = {"password": "quite another secret 9", "again": "quite another secret 9"}
    for n in range(6):
        answer = client.post("/admin/password_change/", {"current": f"guess {n}", **new})
        assert "This is not your password." in answer.text
    hold_locks()
    assert "try again later" in client.post("/admin/password_change/", {"current": "guess 6", **new}).text


def test_a_changed_password_is_no_fresh_second_factor(tenant):
    user = make_user(tenant, "tenant_admin")
    seed = enrol_app(tenant, user)
    client, _ = password_shown(tenant, user)
    client.post(SHOW, {"code": code_for(seed)})
    old_proof(client)
    new = "quite another secret 9"
    done = client.post("/admin/password_change/", {"current": PASSWORD, "password": new, "again": new})
    assert done["Location"] == "/admin/"
    assert client.get("/admin/access/rolebinding/add/")["Location"].startswith(CONFIRM)
