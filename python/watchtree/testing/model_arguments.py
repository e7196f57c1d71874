"""The types of arguments, which the contract looks at before anything else (§1)."""

from __future__ import annotations


def check_type(what: str, value: object, *types: type) -> None:
    """Raise TypeError unless the value has one of the types."""
    if not isinstance(value, types):
        raise TypeError(f"{what} is {value!r}; give {' or '.join(each.__name__ for each in types)}")


def copied(value: bytes) -> bytes:
    """The bytes of any object with a contiguous buffer. Raises TypeError, or BufferError if it is not contiguous."""
    view = memoryview(value)
    if not view.c_contiguous:
        raise BufferError("the buffer of the value is not contiguous")
    return bytes(view)
