"""The ways out of a slot that the hostile worker tries, and what is recorded of each."""

from __future__ import annotations

AT_THE_DOOR = {
    "metadata_by_proxy": "http://169.254.169.254/latest/by-proxy",
    "by_urllib": "/by_urllib",
    "by_requests": "requests.outside.test:443",
    "by_curl": "/by_curl",
    "by_boto3": "sqs.us-east-1.amazonaws.com:443",
    "by_boto3_as_configured": "aws://secretsmanager.us-east-1/",
}
"""Ways that follow the environment to the door, and how the address ends that is recorded."""

IN_THE_SLOT = {
    "raw_socket": ("tcp", "tcp://{http}"),
    "raw_socket_ipv6": ("tcp", "tcp://{http6}"),
    "loopback_database": ("tcp", "tcp://{local}"),
    "by_urllib_without_proxy": ("tcp", "tcp://{http}"),
    "by_curl_without_proxy": ("tcp", "tcp://{http}"),
    "metadata": ("tcp", "tcp://169.254.169.254:80"),
    "udp": ("udp", "udp://{stun}"),
    "dns_query": ("udp", "udp://{turn_udp}"),
    "name_lookup": ("dns", "name-lookup.outside.test"),
    "unix_database": ("unix socket", "unix:{unix}"),
    "write_beside": ("file", "file://{beside}"),
}
"""Ways that a layer of the slot stops and records: kind and address."""

UNSEEN = {
    "abstract_socket": "there is no such name in the slot's network",
    "other_process": "there is no such process in the slot",
    "kill_process": "there is no such process in the slot",
    "other_device": "there is no such device in the slot",
    "kernel_setting": "the kernel's settings are read-only in the slot",
    "own_environment": "nothing of the replay's environment is in the slot's",
}
"""Ways on which there is nothing to meet, and so nobody who could record it; and why."""
