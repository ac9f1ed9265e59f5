"""Serving over HTTP: streamable HTTP at /mcp, legacy SSE at /sse, and a health check that tells no data."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..core.errors import SettingsError
from ..tools.access import Access
from .auth import StaticToken
from .mcp_server import build_server
from .mending import mend
from .settings import Settings
from .stdio import stop_on_signals

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ESCAPED = 6
"""A byte of UTF-8 takes at most this many bytes in JSON (a control character as backslash-u and four digits)."""
_ENVELOPE = 1 << 20


def check_exposure(settings: Settings) -> None:
    """Refuse to be reached from elsewhere without a token and named hosts.

    Raises:
        SettingsError: the host is not loopback, and one of them is missing.
    """
    if not is_loopback(settings.host) and not (settings.bearer_token and settings.allowed_hosts):
        raise SettingsError(
            f"Listening on {settings.host} opens the memory to others; set PALIMPSEST_BEARER_TOKEN and "
            "PALIMPSEST_ALLOWED_HOSTS (the names under which clients reach it), or listen on 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def body_limit(settings: Settings) -> int:
    """Return the largest request body in bytes; an item somewhat over its limit still gets a sentence."""
    return settings.max_item_bytes * _ESCAPED + _ENVELOPE


def transport_security(settings: Settings) -> TransportSecuritySettings:
    """Return which Host and Origin headers are accepted: those of loopback, and the named hosts."""
    hosts: list[str] = []
    for host in (*_LOOPBACK, *settings.allowed_hosts):
        hosts += [host] if ":" in host.rpartition("]")[2] else [host, f"{host}:*"]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


def build_http_app(settings: Settings, access: Access) -> ASGIApp:
    """Return the ASGI application.

    Raises:
        SettingsError: it would be open to others without protection.
    """
    check_exposure(settings)
    server = _protected_server(settings, access)
    security, limit = transport_security(settings), body_limit(settings)
    app = server.streamable_http_app(
        streamable_http_path="/mcp", transport_security=security, max_request_body_size=limit
    )
    legacy: Starlette = server.sse_app(transport_security=security, max_request_body_size=limit)
    # Both are wrapped by the same authentication, so their routes can live side by side.
    app.router.routes += [route for route in legacy.routes if isinstance(route, Mount | Route)]
    app.router.routes.append(Route("/health", _health, methods=["GET"]))
    return MendedBodies(app, limit)


def _protected_server(settings: Settings, access: Access) -> MCPServer[Any]:
    token = settings.bearer_token
    if token is None:
        return build_server(access, toolset=settings.toolsets, log_level=settings.log_level)
    # A static token has no issuer; the SDK asks for an address all the same, and publishes nothing of it.
    auth = AuthSettings(issuer_url=AnyHttpUrl("http://localhost"), resource_server_url=None)
    return build_server(
        access,
        toolset=settings.toolsets,
        log_level=settings.log_level,
        auth=auth,
        token_verifier=StaticToken(token.get_secret_value()),
    )


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


class MendedBodies:
    """Gives request bodies with damaged characters a form that gets an answer in words; see ``mending``."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        """Wrap ``app``; bodies of more than ``limit`` bytes are left to it."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        body = bytearray()
        waiting: list[Message] = []
        while True:
            message = await receive()
            waiting.append(message)
            body += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body") or len(body) > self._limit:
                break
        if len(body) <= self._limit and message["type"] == "http.request":
            mended = mend(bytes(body))
            waiting = [{"type": "http.request", "body": mended, "more_body": False}]
            scope = {**scope, "headers": _with_length(scope["headers"], len(mended))}

        async def replay() -> Message:
            return waiting.pop(0) if waiting else await receive()

        return await self._app(scope, replay, send)


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    return [(name, str(length).encode() if name.lower() == b"content-length" else value) for name, value in headers]


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its own signal handlers, which end the process before what is open has been closed."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve_http(settings: Settings, access: Access) -> None:
    """Serve until a signal comes.

    Raises:
        SettingsError: the address cannot be listened on, or would be open to others without protection.
    """
    app = build_http_app(settings, access)
    with _listen(settings.host, settings.port) as listening:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
            server_header=False,
        )
        server = _Uvicorn(config)

        def stop() -> None:
            server.should_exit = True

        stop_on_signals(stop)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        port = listening.getsockname()[1]
        print(f"Listening on http://{host}:{port}/mcp (legacy SSE: /sse)", file=sys.stderr, flush=True)
        await server.serve(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on ({error.strerror}); choose another port.") from None
