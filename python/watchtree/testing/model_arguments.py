"""The types of arguments, which the contract looks at before anything else (§1)."""

from __future__ import annotations


def check_type(what: str, value: object, *types: type) -> None:
    """Raise TypeError unless the value has one of the types."""
    if not isinstance(value, types):
        raise TypeError(f"{what} is {value!r}; give {' or '.join(each.__name__ for each in types)}")
