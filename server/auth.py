"""Who may call over HTTP: a bearer token compared in constant time."""

import hmac

from mcp.server.auth.provider import AccessToken, TokenVerifier


class StaticToken(TokenVerifier):
    """Accepts exactly one token."""

    def __init__(self, token: str) -> None:
        """Keep the token."""
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the access that the token gives, None when it is another one."""
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="bearer", scopes=[])
