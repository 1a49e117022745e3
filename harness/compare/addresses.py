"""Postal addresses in one way of writing: the abbreviations that the US post publishes. Pure.

Source: USPS Publication 28, appendices B (directions), C1 (suffixes) and C2 (secondary units); the
suffixes that occur in business addresses. "Saint" stays, since "St" there means a street.
"""

from __future__ import annotations

import re

_GROUPS = """
n north/ ne northeast/ e east/ se southeast/ s south/ sw southwest/ w west/ nw northwest
aly alley allee/ ave avenue av aven/ bch beach/ blvd boulevard boul/ br branch/ brg bridge
byp bypass/ cir circle circ/ cv cove/ crk creek/ cres crescent/ ct court/ ctr center centre cntr
dr drive drv/ expy expressway/ ext extension/ frk fork/ fwy freeway/ gdn garden/ gdns gardens
gln glen/ grn green/ grv grove/ hbr harbor harbour/ hts heights/ hwy highway/ hl hill/ hls hills
jct junction/ lk lake/ ln lane/ lndg landing/ mdw meadow/ mdws meadows/ ml mill/ mnr manor
pkwy parkway/ pl place/ plz plaza/ pt point/ rd road/ rdg ridge/ rte route/ shr shore/ sq square
st street str strt/ sta station/ ter terrace terr/ trl trail/ tpke turnpike/ vly valley/ vw view
vlg village/ xing crossing
apt apartment/ bldg building/ dept department/ fl floor flr/ lot/ ph penthouse/ rm room/ ste suite
unit
1st first/ 2nd second/ 3rd third/ 4th fourth/ 5th fifth/ 6th sixth/ 7th seventh/ 8th eighth
9th ninth/ 10th tenth
"""
SHORT = {
    long: short
    for short, *longer in (group.split() for group in re.split(r"[/\n]", _GROUPS) if group.strip())
    for long in longer
}
"""Long form to abbreviation; no abbreviation is a long form itself."""
_UNITS = frozenset({"apt", "bldg", "dept", "fl", "lot", "ph", "rm", "ste", "unit"})
_DOT = re.compile(r"(?<!\d)\.|\.(?!\d)")
_BETWEEN = re.compile(r"[\s,;:]+")
_COMPASS = re.compile(r"\b([ns])\. ?([ew])\.(?=\W|$)")


def postal_address(value: str) -> str:
    """`value` without case and punctuation, in abbreviations; the order of its parts stays.

    ``12 North Main Street, Suite #5`` and ``12 N. Main St Ste 5`` become ``12 n main st ste 5``.
    """
    text = _DOT.sub("", _COMPASS.sub(r"\1\2", value.casefold())).replace("#", " # ")
    words: list[str] = []
    for word in filter(None, _BETWEEN.split(text)):
        short = SHORT.get(word, word)
        if short == "#" and words and words[-1] in _UNITS:
            continue
        words.append(short)
    return " ".join(words)
