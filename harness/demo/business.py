"""Invents customers' businesses, and the innocent ways of writing one of them differently. Pure.

Every name is made up, hosts end in .example and phone numbers are 555-01xx.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from harness.demo.script import Business

_FIRST = (
    "Alder", "Bramble", "Copper", "Drift", "Ember", "Fennel", "Gable", "Hollow", "Indigo",
    "Juniper", "Kestrel", "Larkspur", "Meadow", "Nettle", "Orchard", "Pebble", "Quarry", "Rowan",
    "Saffron", "Thistle", "Umber", "Vesper", "Willow", "Yarrow",
)  # fmt: skip
_SECOND = (
    ("Bakery", "bakery", "Bread and cakes from a wood oven, every morning but Monday."),
    ("Bicycles", "sports", "Repairs, hire and second-hand bicycles for town and gravel."),
    ("Dental", "healthcare", "A family dentist with evening hours and a quiet waiting room."),
    ("Roofing", "home-services", "Slate, tile and flat roofs, with a written estimate first."),
    ("Florist", "retail", "Flowers from nearby growers for tables, weddings and goodbyes."),
    ("Legal", "legal", "Plain advice on leases, wills and small companies."),
    ("Plumbing", "home-services", "Leaks, boilers and bathrooms, with a price before we start."),
    ("Veterinary", "healthcare", "Care for dogs, cats and whatever else has been adopted."),
    ("Motors", "automotive", "Servicing and inspection for cars of every age."),
    ("Studio", "photography", "Portraits and products, on film when you ask for it."),
)
_PLACES = (
    ("Fallow Creek", "OR", "97"), ("Harrow Bay", "ME", "04"), ("Low Ferry", "OH", "44"),
    ("Pinewater", "CO", "80"), ("Saint Aldwin", "MN", "55"), ("Three Bridges", "TX", "75"),
)  # fmt: skip
_STREETS = ("Cooper Street", "Mill Lane", "Orchard Row", "Station Road", "Weaver Avenue")
_AREA_CODES = ("202", "303", "415", "617", "713")


def invent_business(rng: Random, ordinal: int) -> Business:
    """Return the business of the job with this ordinal, in its plainest way of writing."""
    first = rng.choice(_FIRST)
    trade, category, description = rng.choice(_SECOND)
    city, state, zip_start = rng.choice(_PLACES)
    # 0190-0199 are left for numbers that are wrong on purpose.
    phone = f"+1{rng.choice(_AREA_CODES)}55501{rng.randrange(90):02d}"
    host = f"{first}-{trade}-{ordinal}.example".lower()
    return Business(
        name=f"{first} {trade}",
        email=f"hello@{host}",
        phone=phone,
        website=f"https://{host}",
        address=f"{rng.randrange(2, 180)} {rng.choice(_STREETS)}",
        city=city,
        state=state,
        zip=f"{zip_start}{rng.randrange(1000):03d}",
        description=description,
        category=category,
    )


def vary(business: Business, rng: Random) -> Business:
    """Return the same business as another form or import would have written it."""
    return replace(
        business,
        name=_pad(business.name, rng),
        email=_pad(rng.choice((business.email, _capital(business.email))), rng),
        phone=_write_phone(business.phone, rng),
        website=_write_website(business.website, rng),
        city=_pad(rng.choice((business.city, business.city.upper())), rng),
        description=_pad(business.description, rng),
    )


def _pad(text: str, rng: Random) -> str:
    return rng.choice((text, text, text, f" {text}", f"{text} ", text.replace(" ", "  ", 1)))


def _capital(email: str) -> str:
    name, _, host = email.partition("@")
    return f"{name.capitalize()}@{host.upper()}"


def _write_phone(phone: str, rng: Random) -> str:
    area, exchange, line = re.sub(r"\D", "", phone)[-10:][:3], phone[-7:-4], phone[-4:]
    return rng.choice(
        (
            f"({area}) {exchange}-{line}",
            f"+1 {area} {exchange} {line}",
            f"+1 {area}-{exchange}-{line}",
            f"{area}{exchange}{line}",
            f"{area}.{exchange}.{line}",
            f"1-{area}-{exchange}-{line}",
        )
    )


def _write_website(website: str, rng: Random) -> str:
    bare = website.removeprefix("https://")
    return rng.choice(
        (website, f"{website}/", f"https://www.{bare}", f"https://www.{bare}/", f"http://{bare}/")
    )
