"""No personal value survives, in whatever form and wherever it stands; what is no person's does."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from harness.privacy.fakes import Faker
from harness.privacy.policy import Action, parse_policy, with_rules
from harness.privacy.redact import Redactor, Row
from harness.privacy.scrub import squash
from harness.resources import package_text

SHIPPED = parse_policy(package_text("privacy/default-policy.toml"))
FAKER = Faker(b"r" * 32)
JOB = "7e57ab1e-1111-4111-8111-111111111111"
BUSINESS = {
    "business_name": "Söhne & Okonkwo Joinery",
    "email": "jane.okonkwo@okonkwo-joinery.test",
    "phone": "+1 (202) 555-0142",
    "website": "https://www.okonkwo-joinery.test/shop",
    "address": "1428 Elmwood Terrace",
    "city": "Fallow Creek",
    "zip": "97345",
    "description": "Doors & windows by Jane and Ike Okonkwo",
}
FORMS: dict[str, Any] = {
    "as it is": lambda v: v,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "quoted for a URL": quote,
    "quoted with plus": lambda v: quote(v).replace("%20", "+"),
    "quoted twice": lambda v: quote(quote(v)),
    "escaped for JSON": lambda v: json.dumps(v)[1:-1],
    "escaped for HTML": html.escape,
    "as a slug": lambda v: re.sub(r"\W+", "-", v.lower()).strip("-"),
    "without separators": lambda v: re.sub(r"[\W_]+", "", v),
}


def row(kind: str, payload: dict[str, Any], *, directory: str | None = None) -> Row:
    return Row(kind=kind, key=f"{kind}:1:7", job_id=JOB, directory=directory,
               payload=json.dumps(payload))  # fmt: skip


def redact(*rows: Row, redactor: Redactor | None = None) -> list[dict[str, Any]]:
    done = (redactor or Redactor(SHIPPED, FAKER)).redact(rows)
    return [json.loads(one.payload) for one in done]


def job(**columns: Any) -> Row:
    return row("jobs", {"id": JOB, "status": "pending", "business_data": BUSINESS, **columns})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BUSINESS)
def test_a_value_is_found_in_every_form_in_a_field_that_stays(form: str, name: str) -> None:
    value = FORMS[form](BUSINESS[name])
    _, told = redact(
        job(),
        row("directory_submissions", {"directory_url": f"https://dir.test/add?x={value}&y=1"}),
    )
    assert squash(BUSINESS[name]) not in squash(told["directory_url"])
    assert value not in told["directory_url"]
    assert told["directory_url"].startswith("https://")


@pytest.mark.parametrize(
    "text",
    ["2025550142", "202-555-0142", "202.555.0142", "12025550142", "555-0142", "jane.okonkwo",
     "okonkwo-joinery.test", "OKONKWO-JOINERY.TEST", "97345", JOB],
)  # fmt: skip
def test_parts_of_values_are_found_too(text: str) -> None:
    redacted = Redactor(SHIPPED, FAKER).redact(
        [job(), row("directory_submissions", {"directory_url": f"https://dir.test/{text}/add"},
                    directory=f"dir {text}")]
    )  # fmt: skip
    for told in (redacted[1].payload, redacted[1].directory or ""):
        assert text.lower() not in told.lower()


def test_error_texts_keep_their_machine_words_only() -> None:
    words = f"Playwright error: Timeout 10000ms exceeded for {BUSINESS['business_name']}, Mrs Adler"
    _, told = redact(job(), row("directory_submissions", {"result_message": words}))
    assert told["result_message"].startswith("Playwright error: Timeout 10000ms exceeded for ")
    assert not {"Okonkwo", "Joinery", "Adler", "Söhne"} & set(re.findall(r"\w+", str(told)))


def test_the_host_of_a_directory_stays_whatever_it_contains() -> None:
    host = "fallow-creek-joinery-list.test"
    done = Redactor(SHIPPED, FAKER).redact(
        [
            job(category="joinery"),
            row("directory_submissions", {"directory_url": f"https://www.{host}/add",
                "result_message": f"net::ERR_ABORTED at https://{host}/add"}, directory=host),
        ]
    )  # fmt: skip
    assert done[1].directory == host
    assert json.loads(done[1].payload) == {
        "directory_url": f"https://www.{host}/add",
        "result_message": f"net::ERR_ABORTED at https://{host}/add",
    }


def test_a_business_in_place_of_a_directory_does_not_stay() -> None:
    own = "okonkwo-joinery.test"
    rows = [
        job(),
        row("directory_submissions", {"directory_url": f"https://{own}/"}, directory=own),
    ]
    done = Redactor(SHIPPED, FAKER).redact(rows)
    told = json.loads(done[1].payload)["directory_url"]
    assert own not in told
    assert told == f"https://{done[1].directory}/", "both say the same, so that they still join"
    shared = Redactor(SHIPPED, FAKER, public_hosts=frozenset({own})).redact(rows)
    assert shared[1].directory == own, "others use it too: it is a directory"


def test_what_no_rule_names_is_dropped_and_counted() -> None:
    redactor = Redactor(SHIPPED, FAKER)
    (told,) = redact(
        job(ssn="078-05-1120", metadata={"Jane Okonkwo": "paid", "n": [1, 2]}), redactor=redactor
    )
    assert "ssn" not in told
    assert told["metadata"] == {"n": []}
    assert redactor.unknown == {"jobs.ssn": 1, "jobs.metadata.*": 3}
    assert "Okonkwo" not in str(redactor.unknown)


def test_a_dropped_value_is_taken_out_of_what_stays() -> None:
    _, told = redact(
        job(nickname="Quarry Jane"),
        row("directory_submissions", {"directory_url": "https://dir.test/u/quarry-jane"}),
    )
    assert "quarry" not in told["directory_url"]


def test_words_of_the_trade_are_no_personal_values() -> None:
    plain = {"status": "submitted", "directory_url": "https://dir.test/page/submit"}
    _, told = redact(
        job(business_data={"name": "Submitted", "city": "Page"}, queue="pending"),
        row("directory_submissions", plain),
    )
    assert told == plain


def test_what_a_plan_types_has_the_shape_of_its_field() -> None:
    plan = [
        {"action": "goto", "url": "https://dir.test/submit"},
        {"action": "fill", "selector": "input[name='phone']", "value": "202.555.0142"},
        {"action": "fill", "selector": "#email", "value": "JANE.OKONKWO@okonkwo-joinery.test"},
    ]
    told = redact(job(), row("job_results", {"payload": {"business": {}, "plan": plan}}))
    typed = [step.get("value") for step in told[1]["payload"]["plan"]]
    sent = told[0]["business_data"]
    digits = re.sub(r"\D", "", sent["phone"])[-10:]
    assert typed[1] == f"{digits[:3]}.{digits[3:6]}.{digits[6:]}"
    assert typed[2].lower() == sent["email"]
    assert [step["action"] for step in told[1]["payload"]["plan"]] == ["goto", "fill", "fill"]
    assert told[1]["payload"]["plan"][0]["url"] == "https://dir.test/submit"


def test_ids_join_across_rows_and_columns() -> None:
    done = Redactor(SHIPPED, FAKER).redact(
        [job(customer_id="DIR-1"), row("customers", {"id": "DIR-1", "customer_id": "DIR-1"})]
    )
    first, second = (json.loads(one.payload) for one in done)
    assert first["id"] == done[0].job_id == FAKER.identifier(JOB)
    assert first["customer_id"] == second["id"] == second["customer_id"] != "DIR-1"
    assert done[0].key != done[1].key
    assert JOB not in done[0].key


def test_times_numbers_and_nothings_stay_as_they_are() -> None:
    columns = {"created_at": "2026-11-20T09:00:00.123456+00:00", "package_size": 50,
               "started_at": None, "error_message": "", "priority_level": 3}  # fmt: skip
    (told,) = redact(job(**columns))
    assert {name: told[name] for name in columns} == columns


def test_a_phone_among_the_numbers_that_stay_does_not_stay() -> None:
    (told,) = redact(job(package_size=2025550142, priority_level=2025550143))
    assert str(told["package_size"]) != "2025550142"
    assert told["priority_level"] == 2025550143


def test_a_rule_to_keep_is_obeyed_and_still_scrubbed() -> None:
    policy = with_rules(SHIPPED, {Action.KEEP: ["jobs.metadata"]})
    (told,) = redact(
        job(metadata={"campaign": "autumn", "note": "for Söhne & Okonkwo Joinery"}),
        redactor=Redactor(policy, FAKER),
    )
    assert told["metadata"]["campaign"] == "autumn"
    assert "Okonkwo" not in told["metadata"]["note"]


@pytest.mark.parametrize("payload", ["[]", '"text"', "7", "null", '{"business_data": "x"}'])
def test_any_json_is_taken(payload: str) -> None:
    (done,) = Redactor(SHIPPED, FAKER).redact(
        [Row(kind="jobs", key="k", job_id=None, directory=None, payload=payload)]
    )
    json.loads(done.payload)
    assert "text" not in done.payload
