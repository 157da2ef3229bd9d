"""The settings of a directory, as a form."""

from typing import Any, Final

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from access.federation.ldap.rules import GroupLookup, read_rules
from vaultsite.kernel.errors import InvalidInput

_LOOKUPS: Final = (
    (GroupLookup.NONE, "Not at all"),
    (GroupLookup.MEMBER, "Groups that list the person"),
    (GroupLookup.NESTED, "Groups that list the person, and groups that list those"),
    (GroupLookup.MEMBER_OF, "The attribute memberOf of the person"),
    (GroupLookup.IN_CHAIN, "Active Directory, nested groups included"),
)


def _text(placeholder: str = "") -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget({"autocomplete": "off", "placeholder": placeholder})


class LinesField(forms.CharField):
    """Texts, one a line; a list everywhere but on the page."""

    widget = UnfoldAdminTextareaWidget({"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(self.prepare_value(value))).splitlines()]
        return [line for line in lines if line]


class LdapForm(forms.Form):
    """What :class:`access.federation.ldap.rules.LdapRules` says of a directory, and the password of its reader."""

    servers = LinesField(
        label="Servers",
        max_length=2000,
        help_text="One address a line, of servers that know the same accounts; tried in order. ldaps://host:port "
        "speaks TLS from the start, ldap://host:port begins with StartTLS. There is no way without TLS.",
    )
    ca_certificate = forms.CharField(
        label="Certificate of the authority",
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 5, "spellcheck": "false"}),
        help_text="In PEM; the servers' certificates must be signed by it. Empty: the system's authorities.",
    )
    bind_dn = forms.CharField(
        label="Account that searches",
        widget=_text("cn=vault,ou=services,dc=example,dc=org"),
        help_text="A distinguished name; it needs to read accounts and groups, no more.",
    )
    secret = forms.CharField(
        label="Its password",
        max_length=1000,
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="Stored sealed and never shown again. Empty: as it is. Needed anew when servers or account change.",
    )
    user_base = forms.CharField(label="Where accounts are", widget=_text("ou=people,dc=example,dc=org"))
    user_filter = forms.CharField(
        label="Filter of accounts",
        required=False,
        initial="(uid={username})",
        widget=_text(),
        help_text="{username} is the name that somebody types, escaped. "
        "Active Directory: (&(objectCategory=person)(sAMAccountName={username}))",
    )
    disabled_filter = forms.CharField(
        label="Filter of disabled accounts",
        required=False,
        widget=_text(),
        help_text="Whoever it matches is refused. Active Directory: (userAccountControl:1.2.840.113556.1.4.803:=2); "
        "OpenLDAP's password policy: (pwdAccountLockedTime=*)",
    )
    subject_attribute = forms.CharField(
        label="Attribute that names an account for good",
        required=False,
        initial="entryUUID",
        widget=_text(),
        help_text="It must survive a change of the name. Active Directory: objectGUID",
    )
    group_lookup = forms.ChoiceField(
        label="How groups are found",
        required=False,
        choices=_LOOKUPS,
        initial=GroupLookup.MEMBER,
        widget=UnfoldAdminSelectWidget(),
    )
    group_base = forms.CharField(label="Where groups are", required=False, widget=_text("ou=groups,dc=example,dc=org"))
    group_filter = forms.CharField(
        label="Filter of groups",
        required=False,
        initial="(objectClass=groupOfNames)",
        widget=_text(),
        help_text="Active Directory: (objectClass=group)",
    )
    member_attribute = forms.CharField(
        label="Attribute that lists members",
        required=False,
        initial="member",
        widget=_text(),
        help_text="It holds distinguished names: member, uniqueMember, roleOccupant.",
    )
    timeout_seconds = forms.IntegerField(
        label="Longest wait for an answer, seconds",
        required=False,
        initial=5,
        min_value=1,
        max_value=30,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def clean(self) -> dict[str, Any]:
        """What is left empty is what the page begins with."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, field in self.fields.items():
            if cleaned.get(name) in ("", None) and field.initial is not None:
                cleaned[name] = field.initial
        if self.errors:
            return cleaned
        try:
            read_rules({name: value for name, value in cleaned.items() if name != "secret"})
        except InvalidInput as refusal:
            for problem in refusal.errors:
                self.add_error(problem.field, problem.detail)
        return cleaned
