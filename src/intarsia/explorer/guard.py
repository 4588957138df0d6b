"""What every request must be: from this page, to this host, small, and quick."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECONDS = 30.0
"""A request may take, its upload included."""
HEADERS = {
    # No script but the page's own, and nothing from another host.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Refuses requests before the application sees them, and bounds those it lets through.

    A page on another host can make a browser send requests here: directly (its Origin is another
    one) or by letting its own name point to this machine (then Host is that name).

    Parameters
    ----------
    app : ASGI application.
    host : what the server is bound to. Besides it, ``localhost`` and addresses in numbers are
        taken for this server's name; on 127.0.0.1 only loopback addresses.
    most_bytes : of a request's body.
    """

    def __init__(self, app: App, host: str, most_bytes: int) -> None:
        self._app, self._host, self._most = app, host, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _say(send, *refusal)
            return
        await self._bounded(scope, receive, send)

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_own(host):
            return 421, f"This server does not answer to the name {host!r}."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, f"Requests from {origin!r} are refused."
        site = headers.get("sec-fetch-site", "none")
        opened = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
        if site not in ("none", "same-origin") and not opened:
            return 403, "Requests from other sites are refused."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            return 413, f"At most {self._most:,} bytes are taken."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in ("localhost", self._host.strip("[]").lower()):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not _is_loopback(self._host)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, begun = 0, False

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:  # more than the header said, or without one
                return {"type": "http.disconnect"}
            return message

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if taken > self._most:  # whatever the application makes of half a body
                return
            if message["type"] == "http.response.start":
                begun = True
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        try:
            async with asyncio.timeout(SECONDS):
                await self._app(scope, receive_some, send_safely)
        except TimeoutError:
            if not begun:
                await _say(send, 503, f"This took longer than {SECONDS:.0f} seconds.")
            return
        except Exception:
            if taken <= self._most:
                raise
        if taken > self._most and not begun:
            await _say(send, 413, f"At most {self._most:,} bytes are taken.")


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


async def _say(send: Send, status: int, words: str) -> None:
    body = json.dumps({"detail": words}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **HEADERS}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
