"""Fakes keep kind and shape, and what a comparison says of two values."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.compare.normalise import fold_space, phone, url
from harness.demo.business import invent_business, vary
from harness.privacy.fakes import Faker, Shape, shape_of
from harness.privacy.symbols import SymbolFaker, is_symbol, symbols_of

FAKER = Faker(b"a secret of the test, 32 bytes..")
WORDS = st.text(
    alphabet=st.sampled_from(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHXYZ0123456789 -'.,&äöüéñÄÖ日本語🦊"
    ),
    max_size=40,
)
LABELS = st.from_regex(r"[a-z][a-z0-9-]{0,12}[a-z0-9]", fullmatch=True)
HOSTS = st.builds(lambda a, b: f"{a}.{b}", LABELS, st.sampled_from(["com", "net", "co.uk", "test"]))
PATHS = st.from_regex(r"(/[A-Za-z0-9_-]{1,8}){0,3}(\?[a-z]{1,4}=[A-Za-z0-9]{1,5})?", fullmatch=True)
DIGITS = st.text("0123456789", min_size=10, max_size=10).filter(lambda d: d[0] in "23456789")


def normalisers() -> list[tuple[Shape, Callable[[str], str]]]:
    """Every shape with every rule that may be declared for a field of that shape."""

    def dial(value: str) -> str:
        return phone(value, "US")

    everywhere: list[Callable[[str], str]] = [str, fold_space, str.casefold]
    everywhere.append(lambda value: fold_space(value).casefold())
    own = {Shape.PHONE: [dial], Shape.URL: [url, lambda value: url(value).casefold()]}
    return [(shape, rule) for shape in Shape for rule in [*everywhere, *own.get(shape, [])]
            if shape is not Shape.MESSAGE]  # fmt: skip


def agree_on(shape: Shape, one: str, other: str) -> None:
    """Both values are equal by a rule if and only if their fakes are."""
    fakes = FAKER.fake(one, shape), FAKER.fake(other, shape)
    for of, rule in normalisers():
        if of is shape:
            assert (rule(one) == rule(other)) == (rule(fakes[0]) == rule(fakes[1])), (one, fakes)


def ways_of_writing(value: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        [value, value.upper(), value.lower(), f" {value}", f"{value} ", value.replace(" ", "  "),
         value.title()]
    )  # fmt: skip


@given(WORDS.flatmap(lambda v: st.tuples(ways_of_writing(v), ways_of_writing(v))))
@example(("Straße", "STRASSE"))
def test_ways_of_writing_a_text_stay_ways_of_writing_one(pair: tuple[str, str]) -> None:
    agree_on(Shape.TEXT, *pair)


@given(WORDS, WORDS)
def test_different_texts_stay_different(one: str, other: str) -> None:
    agree_on(Shape.TEXT, one, other)
    agree_on(Shape.GUESS, one, other)


@given(DIGITS, DIGITS, st.data())
def test_a_number_in_any_format_stays_one_number(one: str, other: str, data: st.DataObject) -> None:
    formats = ["({0}) {1}-{2}", "+1 {0} {1} {2}", "1-{0}-{1}-{2}", "{0}{1}{2}", "{0}.{1}.{2}",
               " +1 ({0}) {1}-{2}", "{0}-{1}-{2} x5", "{0}-{1}-{2} ext. 27"]  # fmt: skip
    written = [
        data.draw(st.sampled_from(formats)).format(number[:3], number[3:6], number[6:])
        for number in (one, one, other)
    ]
    agree_on(Shape.PHONE, written[0], written[1])
    agree_on(Shape.PHONE, written[0], written[2])


@pytest.mark.parametrize(
    "value", ["(202) 555-0142", "+44 20 7946 0958", "+49 30 901820", "1-800-FLOWERS", "5550142"]
)
def test_a_fake_number_can_be_dialled_where_the_original_can(value: str) -> None:
    fake = FAKER.fake(value, Shape.PHONE)
    number, original = phonenumbers.parse(fake, "US"), phonenumbers.parse(value, "US")
    assert phonenumbers.is_possible_number(number)
    assert number.country_code == original.country_code
    assert number.national_number != original.national_number
    assert [c for c in fake if not c.isalnum()] == [c for c in value if not c.isalnum()]


def test_no_part_of_an_address_stays_by_chance() -> None:
    """Of so many short ones, some would keep their host if only the whole had to change."""
    kept = [
        (host, path)
        for host in ("q0.com", *(f"{letter}.co" for letter in "abcdefghijklmnopqrstuvwxyz"))
        for path in ("", *(f"/{number}" for number in range(60)))
        if f"//{host}." in FAKER.fake(f"https://{host}{path}", Shape.URL)
    ]
    assert not kept


@given(HOSTS, HOSTS, PATHS, PATHS, st.data())
def test_an_address_in_any_form_stays_one_address(
    host: str, other: str, path: str, other_path: str, data: st.DataObject
) -> None:
    forms = ["https://{0}{1}", "http://www.{0}{1}", "{0}{1}", "www.{0}{1}", "HTTPS://{0}:443{1}",
             "//{0}{1}", "https://{0}{1}/", " https://{0}{1}"]  # fmt: skip
    draw = st.sampled_from(forms)
    one = data.draw(draw).format(host, path)
    agree_on(Shape.URL, one, data.draw(draw).format(host.upper(), path))
    agree_on(Shape.URL, one, data.draw(draw).format(other, other_path))
    fake = FAKER.fake(f"https://{host}{path}", Shape.URL)
    assert re.fullmatch(r"https://[^/?#]+\.example([/?#].*)?", fake)
    assert host not in fake


@given(LABELS, HOSTS, LABELS, HOSTS)
def test_a_mail_address_stays_one_and_belongs_to_nobody(
    local: str, host: str, other: str, other_host: str
) -> None:
    agree_on(Shape.EMAIL, f"{local}@{host}", f"{local.upper()}@{host.title()} ")
    agree_on(Shape.EMAIL, f"{local}@{host}", f"{other}@{other_host}")
    fake = FAKER.fake(f"{local}@{host}", Shape.EMAIL)
    assert re.fullmatch(r"[^@\s]+@[^@\s]+\.example", fake)


@given(
    st.sampled_from(["CA", "ca", "California", "CALIFORNIA", "NY", "New York", "new york", "ME"]),
    st.sampled_from(["CA", "ca", "California", "Ohio", "NY", "New York", "Elsewhere"]),
)
def test_a_state_becomes_another_state(one: str, other: str) -> None:
    agree_on(Shape.STATE, one, other)
    fake = FAKER.fake(one, Shape.STATE)
    assert (len(fake) == 2) == (len(one) == 2)
    assert FAKER.fake(fake, Shape.STATE) != FAKER.text(fake), "the fake is no state"


def test_shapes_of_post_codes_and_lengths_are_kept() -> None:
    for value in ("12207", "12207-1234", "SW1A 1AA", "Maple & Sons", "12 Cooper Street"):
        fake = FAKER.text(value)
        assert len(fake) == len(value)
        pattern = re.sub(r"\\?[a-z]", "[a-z]", re.sub("[A-Z]", "[A-Z]", re.escape(value)))
        assert re.fullmatch(re.sub(r"\d", r"\\d", pattern), fake), fake


@given(WORDS.filter(lambda v: any(map(is_symbol, v))), st.sampled_from(list(Shape)))
def test_nothing_is_its_own_fake(value: str, shape: Shape) -> None:
    if shape is not Shape.MESSAGE:
        assert FAKER.fake(value, shape) != value


@given(st.text(max_size=60), st.sampled_from(list(Shape)))
def test_any_text_can_be_faked_and_always_the_same_way(value: str, shape: Shape) -> None:
    assert FAKER.fake(value, shape) == Faker(b"a secret of the test, 32 bytes..").fake(value, shape)


def test_another_secret_gives_other_fakes() -> None:
    other = Faker(b"another secret of 32 bytes......")
    for value in ("Maple Joinery", "desk@maple.test", "(202) 555-0142"):
        assert other.fake(value, Shape.GUESS) != FAKER.fake(value, Shape.GUESS)
    assert other.identifier("DIR-1") != FAKER.identifier("DIR-1")


@pytest.mark.parametrize("shape", [(10,), (26,), (10, 10), (26, 10), (10, 10, 10)])
def test_short_texts_are_permuted_in_one_cycle(shape: tuple[int, ...]) -> None:
    alphabets = {10: "0123456789", 26: "abcdefghijklmnopqrstuvwxyz"}
    faker = SymbolFaker(b"secret")
    start = text = "".join(alphabets[size][0] for size in shape)
    seen = set()
    while text not in seen:
        seen.add(text)
        text = faker.fake(text)
    assert text == start
    assert len(seen) == len({faker.fake(one) for one in seen})
    total = 1
    for size in shape:
        total *= size
    assert len(seen) == total


def test_longer_texts_never_collide() -> None:
    faker = SymbolFaker(b"secret")
    fakes = {faker.fake(f"{number:05d}") for number in range(0, 100_000, 7)}
    assert len(fakes) == len(range(0, 100_000, 7))


def test_numbers_stay_numbers_of_as_many_digits() -> None:
    assert str(FAKER.number(2025550142, Shape.PHONE)) == FAKER.fake("2025550142", Shape.PHONE)
    for value in (7, 12207, 40.7128, -3, 1e300):
        fake = FAKER.number(value, Shape.TEXT)
        assert len(str(fake)) == len(str(value))
        assert str(fake) == FAKER.text(str(value))


def test_identifiers_join_and_keep_the_form_of_a_uuid() -> None:
    uuid = "11111111-1111-4111-8111-111111111111"
    assert FAKER.identifier(uuid) == FAKER.identifier(uuid)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", FAKER.identifier(uuid))
    assert FAKER.identifier("DIR-20261120-ABCDEF").startswith("id-")


def test_a_business_and_its_other_ways_of_writing_stay_in_agreement() -> None:
    rng = Random(7)
    for number in range(60):
        business = invent_business(rng, number)
        other = vary(business, rng)
        for name in ("name", "email", "phone", "website", "city", "state", "zip", "description"):
            agree_on(shape_of(name), getattr(business, name), getattr(other, name))


@given(st.text())
def test_symbols_are_what_ways_of_writing_have_in_common(text: str) -> None:
    assert symbols_of(text) == symbols_of(f" {text}!")
    assert all(map(is_symbol, symbols_of(text)))
