"""Archetypes that are a form on one page; they differ by their fields and their address."""

from __future__ import annotations

from replay.sandbox.archetypes.base import Archetype
from replay.sandbox.forms import Field

_STATES = ("Bavaria", "Hesse", "Saxony")
_CATEGORIES = ("Restaurant", "Retail", "Services")

NAME = Field(name="name", value="name", label="Name")
EMAIL = Field(name="email", value="email", label="E-mail", kind="email")
PHONE = Field(name="phone", value="phone", label="Phone", kind="tel")
WEBSITE = Field(name="website", value="website", label="Website", kind="url")
DESCRIPTION = Field(name="description", value="description", label="About", tag="textarea")
FIVE = (NAME, EMAIL, PHONE, WEBSITE, DESCRIPTION)
"""What the brain's fixed plan fills in."""

SINGLE_PAGE = Archetype(
    name="single_page",
    title="The generic form: ten fields on one page, two of them lists",
    fields=(
        Field(name="business_name", value="name", label="Business name", required=True),
        EMAIL,
        PHONE,
        WEBSITE,
        Field(name="address", value="address", label="Street"),
        Field(name="city", value="city", label="City"),
        Field(name="state", value="=Hesse", label="State", tag="select", choices=_STATES),
        Field(name="zip", value="zip", label="Postal code"),
        Field(
            name="category", value="=Services", label="Category", tag="select", choices=_CATEGORIES
        ),
        DESCRIPTION,
    ),
)

ADD_BUSINESS = Archetype(
    name="add_business",
    title="A form at /add-business that wants everything but the description",
    path="/add-business",
    heading="Add your business",
    fields=(
        Field(name="company", value="name", label="Company", required=True),
        Field(name="email", value="email", label="E-mail", kind="email", required=True),
        Field(name="phone", value="phone", label="Phone", kind="tel", required=True),
        Field(name="url", value="website", label="Website", kind="url", required=True),
        Field(
            name="category",
            value="=Retail",
            label="Category",
            tag="select",
            choices=_CATEGORIES,
            required=True,
        ),
        DESCRIPTION,
    ),
)

MINIMAL = Archetype(
    name="minimal",
    title="Name, address of the website and one sentence, as lists of start-ups want it",
    heading="Add your start-up",
    fields=(
        Field(name="name", value="name", label="Name", required=True),
        Field(name="url", value="website", label="Website", kind="url", required=True),
        DESCRIPTION,
    ),
)

HOSTED_FORM = Archetype(
    name="hosted_form",
    title="A form of a form service: opaque names, meaning only in the labels",
    path="/forms/d/e/sandbox/viewform",
    heading="Tell us about your business",
    fields=(
        Field(name="entry.1045781291", value="name", label="Name of the business", required=True),
        Field(name="entry.1065046570", value="email", label="How can we reach you?"),
        Field(name="entry.1166974658", value="website", label="Link"),
        Field(name="entry.839337160", value="description", label="A few words", tag="textarea"),
    ),
)
