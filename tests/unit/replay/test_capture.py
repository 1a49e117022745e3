"""Saved pages: what is kept is the form, and nothing of anybody."""

from __future__ import annotations

import base64
import json
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReplayError, SettingsError
from replay.sandbox.archetypes import ARCHETYPES, Stage
from replay.sandbox.archetypes.saved import load_archetypes
from replay.sandbox.capture import capture, read_saved
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit
from replay.sandbox.strip import strip_page

PAGE = """<!doctype html><html><head><title>Add to Maple List</title>
<meta name="csrf-token" content="SECRET-1"><link rel="stylesheet" href="https://cdn.other.test/a.css">
<script>var token = 'SECRET-2'; fetch('https://track.other.test/')</script><style>.success{}</style>
</head><body onload="start()"><!-- SECRET-3 -->
<header><form action="/search"><input name="q"><button>Search</button></form></header>
<main><h1>Add your business</h1><p>Questions? Call +1 (415) 555-2671 or write to
<a href="mailto:jo.doe@maple.test">jo.doe@maple.test</a>.</p>
<form action="https://maple.test/save?sid=SECRET-4" method="get" onsubmit="return go()"
 enctype="multipart/form-data">
<input type="hidden" name="authenticity_token" value="SECRET-5">
<label for="b">Business name *</label><input id="b" name="f1" value="SECRET-6" required>
<input name="contact" type="email" placeholder="you@yours.test" data-user="SECRET-7">
<label for="t">Phone</label><input id="t" name="f2" type="tel">
<select name="cat"><option value="">Choose</option><option value="7">Retail</option></select>
<textarea name="about">SECRET-8</textarea>
<img src="https://pixel.other.test/1.gif"><iframe src="https://frames.other.test/"></iframe>
<div class="g-recaptcha" data-sitekey="SECRET-9"></div>
<button id="send" onclick="go()">Send</button></form></main></body></html>"""
THANKS = '<h1>Thank you, jo.doe@maple.test</h1><p class="msg success-message">Done</p>'


class _Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


def save(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_captured_page_holds_its_form_and_no_secret(tmp_path: Path) -> None:
    made = capture(save(tmp_path, "p.html", PAGE), name="maple_list", out=tmp_path / "kinds")
    html = (made.folder / "page.html").read_text()
    facts = (made.folder / "archetype.toml").read_text()
    for text in (html, facts):
        assert re.findall(r"SECRET-\d|other\.test|maple\.test|555-2671|jo\.doe", text) == []
    assert made.fields == ("f1", "contact", "f2", "cat", "about")
    assert made.without_meaning == ()
    assert made.captcha
    assert 'name="q"' not in html
    assert made.dropped == {
        "scripts": 1, "styles": 1, "comments": 1, "external resources": 2, "meta elements": 1,
        "frames": 1, "hidden fields": 1, "values": 2, "other forms": 1, "event handlers": 1,
        "addresses": 1, "e-mail addresses": 2, "telephone numbers": 1,
    }  # fmt: skip


def test_a_captured_page_is_an_archetype_that_its_own_plan_fits(tmp_path: Path) -> None:
    capture(save(tmp_path, "p.html", PAGE), name="maple_list", out=tmp_path / "kinds")
    (kind,) = load_archetypes(tmp_path / "kinds", ARCHETYPES).values()
    assert kind.title == "Add to Maple List"
    steps = kind.plan("maple.example", {"name": "A", "email": "a@b.example", "phone": "1"})
    assert [(step.action, step.selector, step.value) for step in steps[1:-1]] == [
        ("fill", "input[name='f1']", "A"),
        ("fill", "input[name='contact']", "a@b.example"),
        ("fill", "input[name='f2']", "1"),
        ("select", "select[name='cat']", "7"),
        ("fill", "textarea[name='about']", ""),
        ("click", "#send", None),
    ]
    site = kind.make(Stage(form=kind.form(), condition=Condition.ACCEPTED))
    page = site.answer(
        Hit(method="GET", host="h", path=kind.path, query="", content_type="", body=b"")
    )
    assert page is not None
    assert '<form method="post" novalidate>' in page.body
    for body, stored in ((b"f1=A", True), (b"f1=", False)):
        reply = site.answer(
            Hit(
                method="POST", host="h", path=kind.path, query="", body=body,
                content_type="application/x-www-form-urlencoded",
            )
        )  # fmt: skip
        assert reply is not None
        assert reply.accepts == stored


def test_a_har_tells_the_address_and_how_success_looks(tmp_path: Path) -> None:
    def entry(method: str, url: str, text: str, *, coded: bool = False) -> dict[str, object]:
        content = {"mimeType": "text/html; charset=utf-8", "text": text}
        if coded:
            content |= {"text": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
        return {"request": {"method": method, "url": url}, "response": {"content": content}}

    entries = [
        entry("GET", "https://maple.test/", "<p>Home</p>"),
        entry("GET", "https://maple.test/add/new?sid=SECRET", PAGE, coded=True),
        entry("POST", "https://maple.test/save", THANKS),
    ]
    source = save(tmp_path, "v.har", json.dumps({"log": {"entries": entries}}))
    made = capture(source, name="maple_list", out=tmp_path)
    facts = (made.folder / "archetype.toml").read_text()
    assert 'path = "/add/new"' in facts
    assert 'selector = ".success-message"' in facts
    assert 'words = ["Thank you, name@site.example"]' in facts
    assert "SECRET" not in facts


def test_an_mhtml_holds_the_page_among_its_parts(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Snapshot-Content-Location"] = "https://maple.test/add"
    message.make_related()
    page = EmailMessage()
    page.set_content(PAGE.replace("Business name", "Geschäft name"), subtype="html")
    page["Content-Location"] = "https://maple.test/add"
    message.attach(page)
    saved = read_saved(save(tmp_path, "p.mhtml", message.as_bytes()))
    assert saved.path == "/add"
    assert "Geschäft name" in saved.html


def test_the_page_s_own_encoding_is_used(tmp_path: Path) -> None:
    text = '<meta charset="iso-8859-1"><form><input name="n" placeholder="Straße"></form>'
    saved = read_saved(save(tmp_path, "p.html", text.encode("iso-8859-1")))
    assert "Straße" in saved.html


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.html", "<p>Nothing</p>", "no field of a form"),
        ("p.html", "<form><input type=hidden name=a></form>", "no field of a form"),
        ("p.har", "{}", "no HAR"),
        ("p.har", '{"log": {"entries": []}}', "text of no page"),
        ("p.mhtml", "Subject: x\n\nplain", "holds no page"),
        ("p.pdf", "x", "ends in"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_a_mend(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    with pytest.raises(ReplayError, match=words):
        capture(save(tmp_path, name, text), name="maple", out=tmp_path / "kinds")
    assert not (tmp_path / "kinds").exists()


@pytest.mark.parametrize("source", ["file:///etc/hosts", "ftp://x.test/a", "missing.html"])
def test_only_files_and_web_addresses_are_read(source: str) -> None:
    with pytest.raises(ReplayError, match=r"only http|No such file"):
        read_saved(source)


def test_a_name_that_is_taken_or_none_is_refused(tmp_path: Path) -> None:
    source = save(tmp_path, "p.html", PAGE)
    capture(source, name="maple", out=tmp_path / "kinds")
    with pytest.raises(ReplayError, match="there already"):
        capture(source, name="maple", out=tmp_path / "kinds")
    with pytest.raises(ReplayError, match="lower-case"):
        capture(source, name="../maple", out=tmp_path / "kinds")


def test_a_folder_that_is_no_archetype_says_what_is_wrong(tmp_path: Path) -> None:
    capture(save(tmp_path, "p.html", PAGE), name="maple", out=tmp_path / "kinds")
    facts = tmp_path / "kinds" / "maple" / "archetype.toml"
    facts.write_text('title = "x"\npath = "add"\n')
    with pytest.raises(SettingsError, match=r"archetype\.toml: path: "):
        load_archetypes(tmp_path / "kinds", ARCHETYPES)
    facts.write_text("title =")
    with pytest.raises(SettingsError, match="not readable"):
        load_archetypes(tmp_path / "kinds", ARCHETYPES)
    facts.parent.rename(tmp_path / "kinds" / "wizard")
    with pytest.raises(SettingsError, match="sandbox's own"):
        load_archetypes(tmp_path / "kinds", ARCHETYPES)
    with pytest.raises(SettingsError, match="no such folder"):
        load_archetypes(tmp_path / "nowhere", ARCHETYPES)


@pytest.mark.parametrize(
    "html",
    [
        "<form><input name=a><svg><script>x()</script></svg><svg/onload=x()>",
        "<form><input name=a oNcLiCk=x()><a href='jAvAsCrIpT:x()'>a</a>",
        "<form><input name=a><scr<script>ipt>x()</scr</script>ipt>",
        "<form><input name='a\"><script>x()</script>'>",
        "<form><input name=a><iframe srcdoc='<script>x()</script>'></iframe>",
        "<form><input name=a style='background:url(//x.test/a)'><img src=x onerror=x()>",
        "<form><input name=a></form><form action=javascript:x()><button formaction=//x.test>",
        "<noscript><p title='</noscript><img src=x onerror=x()>'></noscript><input name=a>",
        "<template><input name=b onfocus=x()></template><input name=a>",
    ],
)
def test_no_trick_keeps_a_script_or_an_address(html: str) -> None:
    _check(strip_page(html).html)


def test_a_form_that_was_never_closed_does_not_swallow_the_next() -> None:
    page = strip_page("<form><input name=q><form><input name=a><input name=b></form>")
    assert [control.name for control in page.controls] == ["a", "b"]


def test_a_number_is_a_field_s_name_and_in_a_text_a_telephone() -> None:
    page = strip_page('<form><input name="4155552671" placeholder="415-555-2671"></form>')
    assert 'name="4155552671"' in page.html
    assert "415-555-2671" not in page.html


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReplayError, match="Give another folder"):
        capture(save(tmp_path, "p.html", PAGE), name="maple", out=tmp_path / "file" / "x")


PARTS = (
    "<form>", "</form>", "<input name=a value=SECRET>", "<script>", "</script>", "x()", "<svg>",
    "</svg>", "<textarea>", "</textarea>", "<!--", "-->", "<select>", "<option value=1>",
    "</select>", "<a href=//x.test onclick=x()>", "<title>", "</title>", "<template>",
    "</template>", '"', "<", ">", "<iframe src=//x.test>", "</iframe>", "<img src=//x.test/>",
    "<style>", "</style>",
)  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=25))
def test_whatever_is_saved_only_what_is_named_is_kept(parts: list[str]) -> None:
    stripped = strip_page("".join(parts))
    _check(stripped.html)
    _check(strip_page(stripped.html).html)


def _check(html: str) -> None:
    for tag, attributes in _Elements(html).all:
        assert tag not in ("script", "style", "iframe", "img", "svg", "link", "template", "object")
        for name in attributes:
            assert not name.startswith("on")
            assert name not in ("href", "src", "action", "style", "formaction", "srcdoc")
        if tag == "input":
            assert "value" not in attributes
