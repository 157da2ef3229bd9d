"""The settings of an OpenID provider, as a form."""

from typing import Any, Final

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from access.federation.errors import OutgoingAddressRefused
from access.federation.oidc.tokens import KEY_TYPES
from access.federation.outgoing import require_allowed_url

_LONGEST_AGE: Final = 30 * 24 * 3600


class OpenIDForm(forms.Form):
    """What :mod:`access.federation.oidc` knows of a provider."""

    issuer = forms.CharField(
        label="Issuer",
        max_length=500,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "placeholder": "https://id.example.org"}),
        help_text="Exactly as the provider writes it; its description is read from below this address.",
    )
    client_id = forms.CharField(
        label="Client ID", max_length=300, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"})
    )
    secret = forms.CharField(
        label="Client secret",
        max_length=1000,
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="Stored sealed and never shown again. Empty: as it is, or none for a public client.",
    )
    scopes = forms.CharField(
        label="Scopes",
        max_length=500,
        initial="openid profile email",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text="Separated by spaces; many providers need “groups” to tell a person's groups.",
    )
    algorithm = forms.ChoiceField(
        label="Signature of its tokens",
        choices=[(name, name) for name in KEY_TYPES],
        initial="RS256",
        widget=UnfoldAdminSelectWidget(),
        help_text="The only one that is accepted.",
    )
    asks_userinfo = forms.BooleanField(
        label="Ask its userinfo endpoint as well",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="For providers that tell groups there and not in the ID token.",
    )
    signs_out = forms.BooleanField(
        label="Sign out there as well",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Who signs out of the vault is offered to end the provider's session too.",
    )
    max_age = forms.IntegerField(
        label="Longest time since people proved who they are, seconds",
        required=False,
        min_value=0,
        max_value=_LONGEST_AGE,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Empty: the provider decides how long its own session lasts.",
    )
    acr_values = forms.CharField(
        label="Required authentication contexts (acr)",
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text="Separated by spaces; one of them has to be in the answer. Empty: any.",
    )

    def clean_issuer(self) -> str:
        issuer: str = self.cleaned_data["issuer"]
        try:
            parts = require_allowed_url(issuer)
        except OutgoingAddressRefused as refusal:
            raise forms.ValidationError(refusal.detail or refusal.title) from None
        if parts.query:
            raise forms.ValidationError("An issuer has no query.")
        return issuer

    def clean_scopes(self) -> str:
        scopes = str(self.cleaned_data["scopes"]).split()
        return " ".join(dict.fromkeys(["openid", *scopes]))

    def clean_acr_values(self) -> str:
        return " ".join(str(self.cleaned_data["acr_values"]).split())

    def clean(self) -> dict[str, Any]:
        return super().clean() or {}
