"""The errors Intarsia raises on purpose.

Each message says what was wrong, with what value, and what to do about it.
The command line turns them into one line on standard error and an exit code.
"""

from __future__ import annotations


class IntarsiaError(Exception):
    """Base of every error raised on purpose. Exit code 1."""

    exit_code = 1


class UsageError(IntarsiaError, ValueError):
    """Arguments that cannot be served: a wrong value, or an unknown name. Exit code 2."""

    exit_code = 2


class DataError(IntarsiaError):
    """A file, download or cache that is not what it claims to be. Exit code 1."""
