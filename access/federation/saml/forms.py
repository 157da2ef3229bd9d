"""The settings of a SAML provider, as a form."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from access.federation.errors import OutgoingAddressRefused
from access.federation.outgoing import require_allowed_url
from access.federation.saml.errors import SamlMetadataRefused
from access.federation.saml.metadata import read_certificate


class SamlForm(forms.Form):
    """What :mod:`access.federation.saml` knows of a provider beside its metadata."""

    metadata_url = forms.CharField(
        label="Address of its metadata",
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "placeholder": "https://id.example.org/metadata"}),
        help_text="Fetched again twice a day, and when its keys have changed. Empty: upload a file afterwards.",
    )
    metadata_signer = forms.CharField(
        label="Certificate that signs its metadata",
        max_length=8000,
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 4, "autocomplete": "off"}),
        help_text="PEM. Empty: the metadata is believed because of where it comes from.",
    )
    idp_initiated = forms.BooleanField(
        label="Accept sign-ins that begin at the provider",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Somebody can then be led into an account that is not theirs. Leave it off unless people need it.",
    )

    def clean_metadata_url(self) -> str:
        url: str = self.cleaned_data["metadata_url"]
        try:
            if url:
                require_allowed_url(url)
        except OutgoingAddressRefused as refusal:
            raise forms.ValidationError(refusal.detail or refusal.title) from None
        return url

    def clean_metadata_signer(self) -> str:
        given: str = self.cleaned_data["metadata_signer"]
        try:
            return read_certificate(given) if given else ""
        except SamlMetadataRefused as refusal:
            raise forms.ValidationError(refusal.detail) from None

    def clean(self) -> dict[str, Any]:
        return super().clean() or {}
