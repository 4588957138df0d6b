"""The server: one process on this machine."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from intarsia.errors import IntarsiaError, UsageError

if TYPE_CHECKING:
    from intarsia.explorer.guard import Guard

PORT = 8765
CONCURRENT = 64
"""Requests at a time; more are turned away."""


def bound(host: str, port: int | None) -> socket.socket:
    """Bind a port.

    Parameters
    ----------
    host : address or name of this machine.
    port : which; None for `PORT` or, if that is taken, any free one; 0 for any.

    Raises
    ------
    IntarsiaError
        If the port is in use, or may not be bound.
    UsageError
        If the host is not an address of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, PORT if port is None else port, type=socket.SOCK_STREAM
        )[0]
    except socket.gaierror as error:
        raise UsageError(f"--host is {host!r}, which is no address: {error.strerror}.") from error
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE and port is None:
            return bound(host, 0)
        raise IntarsiaError(_refused(error, host, port or PORT)) from error
    listening.listen(128)
    return listening


def serve(app: Guard, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    app : as `explorer_app` makes it.
    listening : as `bound` returns it.
    ready : called with the page's address.
    """
    import uvicorn

    host, port = listening.getsockname()[:2]
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    uvicorn.Server(configured(app)).run(sockets=[listening])


def configured(app: Guard) -> Any:
    """Return the settings of the server: quiet, and bounded."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=CONCURRENT,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=2,
        ws="none",
    )


def _refused(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use, perhaps by another explorer. Choose another with "
            "--port, or --port 0 for any free one."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by you. Choose one above 1023 with --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another --host."
