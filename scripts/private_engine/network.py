"""Network bridges and free addresses, straight from the kernel: a bare machine has no `ip` command.

Two daemons that share docker0 break each other, so each engine has a bridge and a subnet of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import re
import socket
import struct
from pathlib import Path

from .problem import ProblemError

# linux/sockios.h and linux/if.h
ADD_BRIDGE, DELETE_BRIDGE = 0x89A0, 0x89A1
SET_ADDRESS, SET_NETMASK, SET_FLAGS = 0x8916, 0x891C, 0x8914
GET_ADDRESS = 0x8915
UP = 0x1

INTERFACES = Path("/sys/class/net")


def _request(number: int, name: str, argument: bytes = b"") -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        return fcntl.ioctl(channel, number, struct.pack("16s24s", name.encode(), argument))


def _address(text: str) -> bytes:
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(text))


def exists(name: str) -> bool:
    """Whether there is a network interface of this name."""
    return (INTERFACES / name).exists()


def address_of(name: str) -> str:
    """Returns the IPv4 address of an interface, or "" where it has none."""
    try:
        return socket.inet_ntoa(_request(GET_ADDRESS, name)[20:24])
    except OSError:
        return ""


def turn_on(name: str) -> None:
    """Brings an interface up."""
    _request(SET_FLAGS, name, struct.pack("H", UP))


def add_bridge(name: str, subnet: ipaddress.IPv4Network) -> None:
    """Makes a bridge that is up and has the subnet's first address; raises ProblemError where the kernel refuses."""
    try:
        if not exists(name):
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
                fcntl.ioctl(channel, ADD_BRIDGE, struct.pack("16s", name.encode()))
        _request(SET_ADDRESS, name, _address(str(subnet[1])))
        _request(SET_NETMASK, name, _address(str(subnet.netmask)))
        turn_on(name)
    except OSError as error:
        raise ProblemError(
            f"The network bridge {name} ({subnet}) could not be made: {error.strerror}.\n"
            "A private engine needs a kernel with bridges and the right to make them (CAP_NET_ADMIN)."
        ) from error


def delete_bridge(name: str) -> None:
    """Deletes a bridge if it is there."""
    with contextlib.suppress(OSError):
        _request(SET_FLAGS, name, struct.pack("H", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
            fcntl.ioctl(channel, DELETE_BRIDGE, struct.pack("16s", name.encode()))


def bridges_of_networks(data_root: Path) -> list[str]:
    """Returns the bridges of networks that users made in this engine (`docker network create`), where they still exist.

    dockerd leaves them behind when it stops. Their names stand in its network database, so this needs no daemon.
    """
    try:
        text = (data_root / "network/files/local-kv.db").read_bytes()
    except OSError:
        return []
    names = {name.decode() for name in re.findall(rb'"BridgeName":"(br-[0-9a-f]{12})"', text)}
    return sorted(filter(exists, names))


def _routes() -> list[tuple[str, ipaddress.IPv4Network]]:
    def quad(word: str) -> str:
        return socket.inet_ntoa(struct.pack("=L", int(word, 16)))

    rows = [line.split() for line in Path("/proc/net/route").read_text(encoding="utf-8").splitlines()[1:]]
    return [(row[0], ipaddress.IPv4Network(f"{quad(row[1])}/{quad(row[7])}", strict=False)) for row in rows]


def free_pool(key: str, own: str, kept: str | None = None) -> ipaddress.IPv4Network:
    """Returns a block of 64 networks (/18) that no route of the machine touches, the kept one if it still is free.

    `own` is the bridge it is for, whose route does not count. The search begins at a place given by the checkout's
    key, so that two checkouts rarely meet.
    """
    taken = [subnet for name, subnet in _routes() if name != own and subnet.prefixlen > 0]
    blocks = list(ipaddress.IPv4Network("10.128.0.0/9").subnets(new_prefix=18))
    start = int(key, 16) % len(blocks)
    first = [ipaddress.IPv4Network(kept)] if kept else []
    for candidate in (*first, *blocks[start:], *blocks[:start]):
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise ProblemError(
        "No free block of addresses was found between 10.128.0.0 and 10.255.255.255 for containers."
    )


def smallest_mtu() -> int:
    """Returns the smallest MTU among the interfaces of default routes, in bytes; 1500 where there is none."""
    names = {name for name, subnet in _routes() if subnet.prefixlen == 0}
    return min([int((INTERFACES / name / "mtu").read_text()) for name in names if exists(name)] + [1500])


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback TCP port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as channel:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            channel.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(key: str, kept: int | None = None) -> int:
    """Returns a free loopback port, the kept one if it still is free.

    Ports are taken below the kernel's range for outgoing connections, so that none of those is ever in the way.
    """
    start = int(key, 16)
    candidates = (20000 + (start + step) % 10000 for step in range(10000))
    for port in (*([kept] if kept else []), *candidates):
        if is_free(port):
            return port
    raise ProblemError("No free TCP port was found between 20000 and 29999 for the registry.")
