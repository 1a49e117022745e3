"""Error texts lose every word that is not a machine's, and keep their class."""

from __future__ import annotations

import re

import duckdb
import pytest

from harness.privacy.fakes import Faker, Shape
from harness.resources import sql_queries

FAKER = Faker(b"m" * 32)
PERSONAL = "Jane Okonkwo at 1428 Elmwood, jane.okonkwo@maple.test, (202) 555-0142, Maple-Joinery"
MESSAGES = (
    "AI predicted submission was successful.",
    "AI predicted submission failed.",
    "Playwright error: page.goto: Timeout 30000ms exceeded.",
    "Playwright error: page.fill: Timeout 10000ms exceeded.\n  - waiting for locator('#email')",
    "Missing directory URL for submission",
    "Failed 3 submission(s)",
    "2 of 3 submissions failed",
    "No pending submissions available for processing",
    "net::ERR_NAME_NOT_RESOLVED",
    "Failed to get submission plan: 503",
    "asyncio.run() cannot be called from a running event loop",
    "strict mode violation: locator resolved to 2 elements",
)


def classify(*texts: str) -> list[str]:
    """The classes that the journal's own SQL gives to texts."""
    with duckdb.connect() as con:
        con.execute(sql_queries("sources/error_classes.sql")["create_classify_error"])
        query = "SELECT classify_error(text) FROM (SELECT unnest(?) AS text)"
        return [found for (found,) in con.execute(query, [list(texts)]).fetchall()]


def signs() -> list[str]:
    """Every alternative that a class of errors is told by, as a text that has it."""
    sql = sql_queries("sources/error_classes.sql")["create_classify_error"]
    found = []
    for pattern in re.findall(r"regexp_matches\(text, '([^']+)'", sql):
        for part in re.split(r"\|(?![^(]*\))", pattern.replace(r"\b", "")):
            options = re.match(r"(.*)\((.*)\)(.*)", part)
            words = options[2].split("|") if options else [""]
            before, after = (options[1], options[3]) if options else (part, "")
            found += [f"{before}{word}{after}".replace(r"\d\d", "03") for word in words]
    return found


def test_the_list_of_signs_is_read_from_the_shipped_classes() -> None:
    assert {"captcha", "timed out", "connection refused", "503", "no_form"} <= set(signs())
    assert "unknown" not in classify(*signs())


def test_every_sign_of_a_class_survives() -> None:
    texts = [
        text
        for sign in signs()
        for text in (sign, f"{PERSONAL}: {sign} {PERSONAL}", f"Re{sign.upper()}s")
    ]
    assert classify(*(FAKER.fake(text, Shape.MESSAGE) for text in texts)) == classify(*texts)


@pytest.mark.parametrize("message", MESSAGES)
def test_what_a_machine_says_to_anybody_stays(message: str) -> None:
    words = FAKER.fake(message, Shape.MESSAGE)
    assert words == message


def test_personal_words_do_not_stay() -> None:
    words = FAKER.fake(f"Timeout 10000ms exceeded for {PERSONAL}", Shape.MESSAGE)
    assert words.startswith("Timeout 10000ms exceeded for ")
    for word in ("jane", "okonkwo", "1428", "elmwood", "0142", "maple", "joinery"):
        assert word not in words.lower()
    assert len(words) == len(f"Timeout 10000ms exceeded for {PERSONAL}")


def test_a_message_without_a_class_never_gets_one() -> None:
    texts = [f"Odd thing {n}: code {n % 1000} of xyz{n}_abc" for n in range(2000)]
    assert classify(*(FAKER.fake(text, Shape.MESSAGE) for text in texts)) == classify(*texts)


def test_different_messages_stay_different() -> None:
    texts = [f"Odd thing {name} {number}" for number in range(300) for name in ("foo", "bar")]
    assert len({FAKER.fake(text, Shape.MESSAGE) for text in texts}) == len(texts)
