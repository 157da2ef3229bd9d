"""Bodies of the token endpoints: forms as OAuth has them, or the same members in JSON."""

from typing import Any, Final
from urllib.parse import parse_qsl

from rest_framework import serializers

from access.auth.access_tokens import Surface
from access.auth.errors import MalformedTokenRequest
from access.policy.scopes import parse_scopes
from vaultsite.kernel.api.parsers import StrictJSONParser
from vaultsite.kernel.errors import BodyTooLarge

#: Largest body of a token request, bytes.
LONGEST: Final = 16 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
SURFACES: Final = {"rest": Surface.REST, "grpc": Surface.GRPC, "live": Surface.LIVE}
GRANTS: Final = ("password", "session", "api_key", "client_credentials")


class FormOrJSONParser(StrictJSONParser):
    """``application/x-www-form-urlencoded`` (RFC 6749 appendix B), anything else as strict JSON; one value a member."""

    def parse(self, stream: Any, media_type: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if (media_type or "").partition(";")[0].strip().lower() != _FORM:
            return super().parse(stream, media_type, *args, **kwargs)
        body = stream.read(LONGEST + 1)
        if len(body) > LONGEST:
            raise BodyTooLarge(limit_bytes=LONGEST)
        try:
            members = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
        except ValueError:
            raise MalformedTokenRequest from None
        if len({name for name, _ in members}) < len(members):
            raise MalformedTokenRequest("A member is given twice")
        return dict(members)


class ScopeField(serializers.CharField):
    """Names between spaces; ``vault.read`` is ``vault:read``."""

    def to_internal_value(self, data: Any) -> Any:
        return parse_scopes(super().to_internal_value(data))


class TokenRequestInput(serializers.Serializer[Any]):
    """Members that a grant does not use are ignored, as RFC 6749 section 3.2 asks."""

    grant_type = serializers.ChoiceField(choices=GRANTS)
    organization = serializers.CharField(max_length=63, required=False, default="")
    username = serializers.CharField(max_length=150, required=False, default="")
    password = serializers.CharField(max_length=1024, required=False, default="", trim_whitespace=False)
    otp = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    client_id = serializers.CharField(max_length=100, required=False)
    client_secret = serializers.CharField(max_length=200, required=False)
    scope = ScopeField(max_length=2000, required=False, default="", allow_blank=True)
    audience = serializers.ChoiceField(choices=sorted(SURFACES), required=False, default="rest")


class RefreshInput(serializers.Serializer[Any]):
    """``grant_type`` may be left out or be ``refresh_token``."""

    grant_type = serializers.ChoiceField(choices=["refresh_token"], required=False)
    refresh_token = serializers.CharField(max_length=200)
    audience = serializers.ChoiceField(choices=sorted(SURFACES), required=False, default="rest")


class LogoutInput(serializers.Serializer[Any]):
    """Without a refresh token the access token or the browser session of the request itself is ended."""

    refresh_token = serializers.CharField(max_length=200, required=False)


class AccessTokenOutput(serializers.Serializer[Any]):
    """RFC 6749 section 5.1."""

    access_token = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField()
    scope = serializers.CharField()
    refresh_token = serializers.CharField(required=False)


class JwkSetOutput(serializers.Serializer[Any]):
    """RFC 7517 section 5."""

    keys = serializers.ListField(child=serializers.DictField())
