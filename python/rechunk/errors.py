"""Exceptions. All are `RechunkError`s, and most are also one of Python's own:
`ValueError`, `FileNotFoundError`, `OSError`.
"""

from __future__ import annotations


class RechunkError(Exception):
    """A failure with its cause, and often a hint that says what to do."""

    def __init__(
        self, message: str, hint: str = "", retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[type, tuple[str, str, bool]]:
        return type(self), (self.message, self.hint, self.retryable)


class RechunkWarning(UserWarning):
    """A reader may see something else, or something was left out."""


class InvalidArgumentError(RechunkError, ValueError):
    """The request makes no sense or contradicts itself."""


class UnsupportedError(RechunkError, NotImplementedError):
    """Valid, but rechunk cannot do it."""


class NotFoundError(RechunkError, FileNotFoundError):
    """The array, group or object does not exist."""


class CorruptError(RechunkError, ValueError):
    """Stored bytes cannot be decoded as they should."""


class StorageError(RechunkError, OSError):
    """The store failed: disk full, permission, network."""


class BudgetExceededError(RechunkError, ValueError):
    """No plan fits into the memory; the message names the smallest budget."""


class CancelledError(RechunkError):
    """The run was stopped on request."""


class InternalError(RechunkError, RuntimeError):
    """A bug in rechunk."""


_CLASSES: dict[str, type[RechunkError]] = {
    "invalid_argument": InvalidArgumentError,
    "unsupported": UnsupportedError,
    "not_found": NotFoundError,
    "corrupt": CorruptError,
    "io": StorageError,
    "budget_exceeded": BudgetExceededError,
    "cancelled": CancelledError,
    "internal": InternalError,
}


def from_native(
    kind: str, message: str, hint: str, retryable: bool
) -> RechunkError:
    """The exception for an error of the native part."""
    return _CLASSES.get(kind, InternalError)(message, hint, retryable)
