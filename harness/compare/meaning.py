"""When two ways of writing are one value: a person's reading, whatever the rules say. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from harness.compare.addresses import postal_address
from harness.compare.normalise import fold_space, phone, url


def meaning(field: str, value: str) -> str:
    """A form that two ways of writing one value of `field` share, and two values do not.

    The same letters and digits whatever their case, one telephone, one site, one postal address.
    field: as cells name it, such as ``values.phone``.
    """
    return _FORMS.get(field.removeprefix("values."), _letters)(value)


def _phone(value: str) -> str:
    return phone(value, "US")


def _email(value: str) -> str:
    return fold_space(value).casefold()


def _letters(value: str) -> str:
    """Letters and digits without case; what parts two numbers stays."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    spaced = fold_space("".join(c if c.isalnum() else " " for c in folded))
    return re.sub(r"(?<!\d) | (?!\d)", "", spaced)


_FORMS: dict[str, Callable[[str], str]] = {
    "address": postal_address,
    "email": _email,
    "phone": _phone,
    "website": url,
}
