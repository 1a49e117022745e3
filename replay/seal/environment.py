"""The environment of a worker process: made from nothing, so nothing of ours is in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE", "TZ", "TERM")
"""What a program may need of ours and what tells nothing. PATH is taken apart from these."""

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def sealed_environment(
    parent: Mapping[str, str],
    *,
    door: str,
    authority: Path,
    home: Path,
    temporary: Path,
    programs: Path,
    browsers: Path,
    browser: Path,
) -> dict[str, str]:
    """Return all that a worker process is given.

    parent: ours; only its PATH, language and time zone are looked at. door: address of the slot's
    proxy. authority: PEM file of the run's certificate authority. programs: folder of the sealed
    browsers' names, first on PATH. browsers: what Playwright takes for its downloads. browser: the
    sealed one.
    """
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"), door)
    both_cases = {**proxies, **{name.lower(): door for name in proxies}}
    files = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    return {
        **{name: parent[name] for name in _KEPT if name in parent},
        "PATH": f"{programs}:{parent.get('PATH') or _DEFAULT_PATH}",
        "HOME": str(home),
        "USER": "worker",
        "LOGNAME": "worker",
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        **both_cases,
        "NO_PROXY": "",
        "no_proxy": "",
        # Node 24 and later follow the proxies when they are told to; earlier ones find no network.
        "NODE_USE_ENV_PROXY": "1",
        **{name: str(authority) for name in (*files, "GIT_SSL_CAINFO", "AWS_CA_BUNDLE")},
        # An SDK that finds no credentials asks the metadata address for some; these lead nowhere.
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": door,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PLAYWRIGHT_BROWSERS_PATH": str(browsers),
        # It would look for the libraries of a browser beside our wrapper.
        "PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS": "1",
        "CHROME_PATH": str(browser),
        "CHROME_BIN": str(browser),
        "PUPPETEER_EXECUTABLE_PATH": str(browser),
    }
