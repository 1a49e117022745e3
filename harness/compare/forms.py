"""What a rule makes of many values: of the plain ones at once, of the others one by one. Pure.

A value is plain where its form alone tells what the rule's function would do, so that a pattern
over all values stands for a call for each. Whatever is not plain is left to the function.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from harness.compare.kinds import (
    CasefoldRule,
    HostRule,
    MapRule,
    PhoneRule,
    Rule,
    UnicodeRule,
    UrlRule,
    WhitespaceRule,
)
from harness.compare.normalise import normaliser

_SPACES = r"[\x09-\x0d\x1c-\x20]+"
"""What ``\\s`` of Python matches among ASCII characters."""
# What an address may begin with, and a host and path of letters, digits and marks that mean nothing
# in an address.
_BEFORE_HOST = r"^(?i:(?:https?:)?//)?(?i:www\.)?"
_SITE = r"^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[A-Za-z0-9_.~-]*)*$"
# Ten digits or some too many, as they are dialled in the North American plan.
_DIALLED = (
    r"^(?:\+1[ .-]?)?(?:\(([2-9][0-9]{2})\)|([2-9][0-9]{2}))[ .-]?([0-9]{3})[ .-]?([0-9]{4})"
    r"([0-9]{0,4})$"
)


def normalised(rule: Rule, values: pl.Series) -> pl.Series:
    """Return what the rule's function makes of each value; NULL stays NULL.

    Raises AssertionError for a rule that does not work value by value.
    """
    function = normaliser(rule)
    if function is None:
        raise AssertionError(f"rule {rule.name} has no function")
    plain, as_is = _plain(rule), _as_is(rule, values)
    if as_is is None:
        return _at_once(plain, function, values)
    at = (~as_is).arg_true()
    if at.is_empty():
        return values
    return values.clone().scatter(at, _at_once(plain, function, values.gather(at)))


def _at_once(plain: pl.Expr | None, function: Callable[[str], str], values: pl.Series) -> pl.Series:
    if plain is None:
        return _one_by_one(function, values)
    new = values.to_frame("value").select(new=plain)["new"].alias(values.name)
    odd = (new.is_null() & values.is_not_null()).arg_true()
    if odd.is_empty():
        return new
    return new.scatter(odd, _one_by_one(function, values.gather(odd)))


def _one_by_one(function: Callable[[str], str], values: pl.Series) -> pl.Series:
    """Each distinct value looked at once."""
    distinct = values.drop_nulls().unique()
    new = pl.Series([function(value) for value in distinct.to_list()], dtype=pl.String)
    return values.replace_strict(distinct, new, default=None, return_dtype=pl.String)


def _as_is(rule: Rule, values: pl.Series) -> pl.Series | None:
    """Which values the rule is known to leave as they are; None where that is not soon seen."""
    match rule:
        case MapRule():
            return ~values.is_in([*rule.map])
        case WhitespaceRule():
            return values.str.contains(r"^[!-~]+(?: [!-~]+)*$")
        case PhoneRule(region="US"):
            return values.str.contains(r"^\+1[2-9][0-9]{9}$")
        case _:
            return None


def _plain(rule: Rule) -> pl.Expr | None:
    """What the rule makes of `value` where that is plain, else NULL; None where nothing is."""
    value = pl.col("value")
    is_ascii = value.str.len_bytes() == value.str.len_chars()
    match rule:
        case CasefoldRule():
            return pl.when(is_ascii).then(value.str.to_lowercase())
        case WhitespaceRule():
            folded = value.str.replace_all(_SPACES, " ").str.strip_chars(" ")
            return pl.when(is_ascii).then(folded)
        case UnicodeRule():
            return pl.when(is_ascii).then(value)
        case UrlRule():
            return _site(value, with_path=True)
        case HostRule():
            return _site(value, with_path=False)
        case PhoneRule(region="US"):
            return _dialled(value)
        case _:
            return None


def _site(value: pl.Expr, *, with_path: bool) -> pl.Expr:
    bare = value.str.replace(_BEFORE_HOST, "")
    parts = bare.str.splitn("/", 2)
    host = parts.struct[0].str.to_lowercase()
    shown = host
    if with_path:
        path = parts.struct[1].fill_null("")
        shown = pl.concat_str(host, pl.lit("/"), path).str.strip_chars_end("/")
    # Behind one "www." may stand another.
    return pl.when(bare.str.contains(_SITE) & ~host.str.starts_with("www.")).then(shown)


def _dialled(value: pl.Expr) -> pl.Expr:
    parts = value.str.extract_groups(_DIALLED)
    area = pl.coalesce(parts.struct.field("1"), parts.struct.field("2"))
    number = pl.concat_str(pl.lit("+1"), area, parts.struct.field("3"), parts.struct.field("4"))
    # With a digit too many it is no possible number, and stays as it is.
    return (
        pl.when(parts.struct.field("5") == "")
        .then(number)
        .otherwise(pl.when(parts.struct.field("5") != "").then(value))
    )
