"""What an answer says of the limits it was counted against."""

import time

from django.http import HttpResponseBase

from access.limits.bucket import WINDOW, Level


def add_headers(response: HttpResponseBase, levels: tuple[Level, ...]) -> None:
    """``RateLimit`` and ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-10) for each bucket.

    ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` (seconds since 1970) for the one that is nearest its end.
    """
    if not levels:
        return
    response["RateLimit-Policy"] = ", ".join(f'"{it.bucket.policy}";q={it.bucket.quota};w={WINDOW}' for it in levels)
    response["RateLimit"] = ", ".join(f'"{it.bucket.policy}";r={it.remaining};t={it.reset_seconds}' for it in levels)
    nearest = min(levels, key=lambda level: level.tokens)
    response["X-RateLimit-Limit"] = str(nearest.bucket.quota)
    response["X-RateLimit-Remaining"] = str(nearest.remaining)
    response["X-RateLimit-Reset"] = str(int(time.time()) + nearest.reset_seconds)
