"""Makes an archetype from a saved page: an HTML file, a HAR, an MHTML or an address."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import ReplayError
from replay.sandbox.archetypes.saved import FACTS, NAME, PAGE
from replay.sandbox.strip import Control, Stripped, strip_page

_LIMIT = 20 * 1024 * 1024
_FETCH_S = 20.0
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_MEANINGS = (
    ("email", r"e-?mail"),
    ("phone", r"phone|\btel\b|mobile|fax"),
    ("website", r"website|web ?page|\burl\b|\blink\b|homepage"),
    ("description", r"descri|about|message|comment|details|few words"),
    ("zip", r"\bzip|postal|post ?code"),
    ("city", r"\bcity|\btown"),
    ("state", r"\bstate\b|province|region"),
    ("category", r"categor|industry|sector"),
    ("address", r"address|street"),
    ("name", r"name|company|business|title"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """A page as it was saved."""

    html: str
    path: str
    """Of its address; ``/submit`` where that is not known."""
    answer: str | None = None
    """HTML that a post was answered with, where the file has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """An archetype that was made."""

    folder: Path
    fields: tuple[str, ...]
    without_meaning: tuple[str, ...]
    """Fields of which nobody could tell what belongs there."""
    captcha: bool
    dropped: Mapping[str, int]


def capture(source: str, *, name: str, out: Path) -> Captured:
    """Make the archetype `name` in a folder of `out` from `source`.

    source: a file that ends in .html, .htm, .har, .mhtml or .mht, or an address with http(s),
    which is fetched. Raises ReplayError that says what is wrong and what to do instead.
    """
    if not NAME.fullmatch(name):
        raise ReplayError(
            f"--name {name}: use lower-case letters, digits and underscores, "
            "a letter first, 28 at most."
        )
    folder = out / name
    if folder.exists():
        raise ReplayError(f"{folder} is there already. Give another --name, or remove it.")
    saved = read_saved(source)
    page = strip_page(saved.html)
    fields = [control for control in page.controls if control.tag != "button" and _fills(control)]
    if not fields:
        raise ReplayError(
            f"{source}: no field of a form is in it. If a script makes the form, save the page "
            "from a browser when it is there (“Web page, complete”, or a HAR after loading)."
        )
    try:
        folder.mkdir(parents=True)
        (folder / PAGE).write_text(page.html, encoding="utf-8")
        (folder / FACTS).write_text(describe(page, saved, fields), encoding="utf-8")
    except OSError as error:
        raise ReplayError(f"--out {out}: {error.strerror}. Give another folder.") from error
    named = [control for control in fields if control.name]
    return Captured(
        folder=folder,
        fields=tuple(control.name for control in named),
        without_meaning=tuple(one.name for one in named if not meaning_of(one)),
        captcha=page.captcha,
        dropped=dict(page.dropped),
    )


def read_saved(source: str) -> SavedPage:
    """Read the page that `source` names. Raises ReplayError."""
    scheme = urlsplit(source).scheme if "://" in source else ""
    if scheme:
        if scheme not in ("http", "https"):
            raise ReplayError(f"{source}: only http and https addresses are fetched.")
        return _fetch(source)
    path = Path(source)
    try:
        if path.stat().st_size > _LIMIT:
            raise ReplayError(f"{source}: larger than {_LIMIT >> 20} MiB; save the page alone.")
        data = path.read_bytes()
    except OSError as error:
        raise ReplayError(f"{source}: {error.strerror}. Give a saved page or an address.") from None
    match path.suffix.lower():
        case ".html" | ".htm":
            return SavedPage(html=_decoded(data), path="/submit")
        case ".har":
            return read_har(source, data)
        case ".mhtml" | ".mht":
            return read_mhtml(source, data)
    raise ReplayError(f"{source}: give a file that ends in .html, .har or .mhtml, or an address.")


def read_har(source: str, data: bytes) -> SavedPage:
    """The first page of a HAR that has a form, and what a later post was answered with."""
    try:
        entries = list(_entries(json.loads(data.decode("utf-8-sig"))))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ReplayError(f"{source}: no HAR that can be read ({error}).") from None
    pages = [entry for entry in entries if entry[0] == "GET" and entry[2]]
    if not pages:
        raise ReplayError(
            f"{source}: holds the text of no page. Save it “with content” in the browser's tools."
        )
    _, url, html = next((page for page in pages if "<form" in page[2].lower()), pages[0])
    posts = [entry for entry in entries if entry[0] == "POST" and entry[2]]
    answer = posts[-1][2] if posts else None
    return SavedPage(html=html, path=urlsplit(url).path or "/", answer=answer)


def read_mhtml(source: str, data: bytes) -> SavedPage:
    """The first page of an MHTML."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            html = payload if isinstance(payload, bytes) else b""
            location = str(part.get("Content-Location") or message.get("Snapshot-Content-Location"))
            path = urlsplit(location).path if location.startswith("http") else ""
            return SavedPage(
                html=_decoded(html, part.get_content_charset()), path=path or "/submit"
            )
    raise ReplayError(f"{source}: holds no page (no part is text/html).")


def describe(page: Stripped, saved: SavedPage, fields: list[Control]) -> str:
    """The text of ``archetype.toml``."""
    lines = [
        f"title = {_quoted(page.title or 'A saved page')}",
        f"path = {_quoted(saved.path)}",
        f"submit = {_quoted(submit_of(page.controls))}",
        f"captcha = {'true' if page.captcha else 'false'}",
    ]
    selector, words = _success_of(saved.answer)
    if selector or words:
        lines += ["", "[success]", f"selector = {_quoted(selector)}"]
        lines.append(f"words = [{', '.join(map(_quoted, words))}]")
    for control in fields:
        if not control.name:
            continue
        lines += ["", "[[field]]", f"name = {_quoted(control.name)}"]
        lines += [f"tag = {_quoted(control.tag)}", f"kind = {_quoted(control.kind)}"]
        if meaning := meaning_of(control):
            lines.append(f"meaning = {_quoted(meaning)}")
        if control.choices:
            lines.append(f"choice = {_quoted(control.choices[0])}")
        if control.required:
            lines.append("required = true")
    return "\n".join(lines) + "\n"


def meaning_of(control: Control) -> str:
    """Which value of a business belongs there; empty where nothing tells."""
    if control.kind in ("email", "tel", "url"):
        return {"email": "email", "tel": "phone", "url": "website"}[control.kind]
    # What it is called tells more than what stands beside it.
    for words in (f"{control.name} {control.id}", control.hints):
        plain = re.sub(r"[_\-.\[\]]+", " ", words)
        for meaning, pattern in _MEANINGS:
            if re.search(pattern, plain, re.IGNORECASE):
                return meaning
    return ""


def submit_of(controls: list[Control]) -> str:
    """A selector of what sends the form."""
    for control in controls:
        if control.kind in ("submit", "image") and control.tag in ("button", "input"):
            if re.fullmatch(r"[\w-]+", control.id):
                return f"#{control.id}"
            if re.fullmatch(r"[\w.:-]+", control.name):
                return f"{control.tag}[name='{control.name}']"
            return f"{control.tag}[type='{control.kind}']"
    return "button[type='submit']"


def _fills(control: Control) -> bool:
    return control.kind not in ("submit", "button", "reset", "image")


def _success_of(answer: str | None) -> tuple[str, tuple[str, ...]]:
    """Where a page says that it took a listing: a class that tells, and its heading."""
    if answer is None:
        return "", ()
    found = re.search(
        r"class=[\"'][^\"']*?([\w-]*(?:success|confirmation|thank)[\w-]*)", answer, re.IGNORECASE
    )
    heading = re.search(r"<h[12][^>]*>(.*?)</h[12]>", answer, re.IGNORECASE | re.DOTALL)
    # Through the same sieve as the page: an answer often repeats what was sent.
    words = strip_page(heading[1]).html if heading else ""
    text = " ".join(re.sub(r"<[^>]+>", " ", words).split())
    return (f".{found[1]}" if found else ""), ((text,) if text else ())


def _entries(har: Any) -> Iterator[tuple[str, str, str]]:
    """Method, address and HTML of each entry; empty where it is no HTML."""
    for entry in har["log"]["entries"]:
        content = entry["response"].get("content", {})
        text = content.get("text") or ""
        if not str(content.get("mimeType", "")).startswith("text/html"):
            text = ""
        elif content.get("encoding") == "base64":
            text = _decoded(base64.b64decode(text))
        yield str(entry["request"]["method"]), str(entry["request"]["url"]), str(text)


def _fetch(url: str) -> SavedPage:
    import urllib3

    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                "GET", url, timeout=_FETCH_S, retries=urllib3.Retry(3, status=0),
                preload_content=False, headers={"User-Agent": "shadow sandbox capture"},
            )  # fmt: skip
            data = response.read(_LIMIT)
            response.release_conn()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise ReplayError(
            f"{url}: not fetched: {error}. Save the page and give the file."
        ) from None
    if response.status != 200:
        raise ReplayError(
            f"{url}: the site answered {response.status}. Save the page from a browser instead."
        )
    charset = re.search(r"charset=([\w-]+)", response.headers.get("Content-Type", ""))
    path = urlsplit(response.geturl() or url).path or urlsplit(url).path
    return SavedPage(html=_decoded(data, charset and charset[1]), path=path or "/")


def _decoded(data: bytes, charset: str | None = None) -> str:
    declared = _CHARSET.search(data[:4096])
    for name in (charset, declared and declared[1].decode(), "utf-8"):
        if name:
            try:
                return data.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
    return data.decode("utf-8", "replace")


def _quoted(text: str) -> str:
    """A string as TOML writes it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return json.dumps(plain[:1000], ensure_ascii=False)


def dropped_words(dropped: Mapping[str, int]) -> str:
    """What was left out, in words."""
    counts = Counter(dropped)
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items())) or "nothing"
