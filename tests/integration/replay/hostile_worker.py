"""A worker that tries every way out that code has. Its argument is JSON: names of places outside.

Run by itself, as a process of a slot. Its answer is JSON: what it could read of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

AT = json.loads(sys.argv[1])
PATIENCE_S = 3.0


def ask(family: int, address: object, path: str) -> None:
    with socket.socket(family) as tried:
        tried.settimeout(PATIENCE_S)
        tried.connect(address)
        tried.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        tried.recv(100)


def address(place: str) -> tuple[str, int]:
    host, _, port = AT[place].rpartition(":")
    return host.strip("[]"), int(port)


def tell(place: str, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        tried.sendto(data, address(place))


def raw_socket() -> None:
    ask(socket.AF_INET, address("http"), "raw_socket")


def raw_socket_ipv6() -> None:
    ask(socket.AF_INET6, address("http6"), "raw_socket_ipv6")


def loopback_database() -> None:
    ask(socket.AF_INET, address("local"), "loopback_database")


def unix_database() -> None:
    ask(socket.AF_UNIX, AT["unix"], "unix_database")


def abstract_socket() -> None:
    ask(socket.AF_UNIX, "\0" + AT["abstract"], "abstract_socket")


def udp() -> None:
    tell("stun", b"x")


def dns_query() -> None:
    tell("turn_udp", b"\0\1\1\0\0\1\0\0\0\0\0\0\6secret\7outside\4test\0\0\1\0\1")


def name_lookup() -> None:
    socket.getaddrinfo("name-lookup.outside.test", 443)


def metadata() -> None:
    ask(socket.AF_INET, ("169.254.169.254", 80), "latest/meta-data")


def metadata_by_proxy() -> None:
    urllib.request.urlopen("http://169.254.169.254/latest/by-proxy", timeout=PATIENCE_S)


def by_urllib() -> None:
    urllib.request.urlopen(f"http://{AT['http']}/by_urllib", timeout=PATIENCE_S)


def by_urllib_without_proxy() -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    direct.open(f"http://{AT['http']}/by_urllib_without_proxy", timeout=PATIENCE_S)


def by_requests() -> None:
    import requests

    requests.get("https://requests.outside.test/by_requests", timeout=PATIENCE_S)


def by_curl() -> None:
    subprocess.run(["curl", "-s", "-m", "3", f"http://{AT['http']}/by_curl"], check=True)


def by_curl_without_proxy() -> None:
    url = f"http://{AT['http']}/by_curl_without_proxy"
    subprocess.run(["curl", "-s", "-m", "3", "--noproxy", "*", url], check=True, env={})


def by_boto3() -> None:
    import boto3
    from botocore.config import Config

    # Of the documentation: they look real, and belong to nobody.
    queue = boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url="https://sqs.us-east-1.amazonaws.com",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1}),
    )
    queue.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/jobs", MessageBody="x")


def by_boto3_as_configured() -> None:
    import boto3

    boto3.client("secretsmanager").get_secret_value(SecretId="production")


def write_beside() -> None:
    Path(AT["beside"]).write_text("write_beside")


def other_process() -> None:
    if AT["marker"].encode() in Path(f"/proc/{AT['process']}/cmdline").read_bytes():
        READ.append("other_process")


def kill_process() -> None:
    os.kill(AT["process"], signal.SIGKILL)


def other_device() -> None:
    for device in Path("/dev").iterdir():
        with contextlib.suppress(OSError):
            if stat.S_ISBLK(device.stat().st_mode):
                os.close(os.open(device, os.O_RDONLY))
                READ.append("other_device")


def kernel_setting() -> None:
    with Path("/proc/sys/kernel/hostname").open("r+"):
        READ.append("kernel_setting")


def own_environment() -> None:
    if AT["marker"] in os.environ.values():
        READ.append("own_environment")


WAYS: tuple[Callable[[], None], ...] = (
    raw_socket, raw_socket_ipv6, loopback_database, unix_database, abstract_socket, udp, dns_query,
    name_lookup, metadata, metadata_by_proxy, by_urllib, by_urllib_without_proxy, by_requests,
    by_curl, by_curl_without_proxy, by_boto3, by_boto3_as_configured, write_beside,
    other_process, kill_process, other_device, kernel_setting, own_environment,
)  # fmt: skip
READ: list[str] = []

if __name__ == "__main__":
    for way in WAYS:
        if way.__name__ not in AT["leave_out"]:
            with contextlib.suppress(Exception):
                way()
    print(json.dumps(READ))
