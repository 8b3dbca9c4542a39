"""The machine's packet filter, which dockerd changes and never restores: what was before, and putting it back.

dockerd turns forwarding on, sets FORWARD's policy to DROP and adds chains named DOCKER*. The chains are shared by
all daemons of the machine, so only the last one out takes them away.
"""

from __future__ import annotations

import ipaddress
import itertools
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import before, files
from .problem import ProblemError

SWITCHES = (
    "net/ipv4/ip_forward",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
)
TABLES = ("filter", "nat")
# What dockerd will ask for; tried in an empty network namespace, where it touches nobody.
TRIALS = (
    "-t nat -A POSTROUTING -s 10.200.0.0/24 ! -o lo -j MASQUERADE",
    "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j ACCEPT",
    "-t filter -A FORWARD -o lo -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
)


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _works(program: Path) -> bool:
    script = " && ".join(f'"$0" {trial}' for trial in TRIALS)
    return _run(["unshare", "--net", "sh", "-ec", script, str(program)]).returncode == 0


def _own(program: str, tree: Path, multiarch: str, folder: Path) -> Path:
    """Writes the small shell scripts that run an unpacked iptables with its own libraries."""
    for name in ("iptables", "ip6tables"):
        files.write(
            folder / name,
            "#!/bin/sh\n"
            f"LD_LIBRARY_PATH={tree}/usr/lib/{multiarch}:{tree}/lib/{multiarch} "
            f"XTABLES_LIBDIR={tree}/usr/lib/{multiarch}/xtables \\\n"
            f'exec {tree}/usr/sbin/{program} {name} "$@"\n',
            mode=0o755,
        )
    return folder / "iptables"


def provide(tree: Path, multiarch: str, folder: Path) -> Path:
    """Returns an iptables that works with this kernel, put into `folder` for dockerd.

    The machine's own comes first: rules must go where the machine's other tools look. Without one, nftables is tried
    before the older tables. Raises ProblemError where nothing works.
    """
    for name in ("/usr/sbin/iptables", "/sbin/iptables", "/usr/bin/iptables"):
        if Path(name).exists() and _works(Path(name)):
            for word in ("iptables", "ip6tables"):
                files.link(folder / word, Path(name).with_name(word))
            return folder / "iptables"
    for program in ("xtables-nft-multi", "xtables-legacy-multi"):
        own = _own(program, tree, multiarch, folder)
        if _works(own):
            return own
    raise ProblemError(
        "Neither nftables nor the older iptables works with this kernel, so containers would have no network.\n"
        "The kernel needs NF_TABLES or IP_NF_IPTABLES with NAT, MASQUERADE, addrtype and conntrack."
    )


def _rules(iptables: Path, table: str) -> list[list[str]]:
    lines = _run([str(iptables), "-w", "-t", table, "-S"]).stdout.splitlines()
    return [shlex.split(line) for line in lines]


def _policy(iptables: Path) -> str:
    return next(
        (words[2] for words in _rules(iptables, "filter") if words[:2] == ["-P", "FORWARD"]), "ACCEPT"
    )


def _chains(iptables: Path, table: str) -> list[str]:
    return [
        words[1] for words in _rules(iptables, table) if words[0] == "-N" and words[1].startswith("DOCKER")
    ]


def _switches() -> dict[str, str]:
    paths = {name: Path("/proc/sys") / name for name in SWITCHES}
    return {name: path.read_text().strip() for name, path in paths.items() if path.exists()}


def remember(iptables: Path) -> None:
    """Remembers the packet filter as it is before the first private engine."""
    state = {
        "forward": _policy(iptables),
        "chains": {table: _chains(iptables, table) for table in TABLES},
        "switches": _switches(),
    }
    before.remember("firewall", state)


def _ours(words: Sequence[str], names: Iterable[str], subnets: Iterable[ipaddress.IPv4Network]) -> bool:
    if set(words) & set(names):
        return True
    for option, value in itertools.pairwise(words):
        if option in {"-s", "-d"} and "/" in value:
            network = ipaddress.ip_network(value, strict=False)
            if any(isinstance(network, ipaddress.IPv4Network) and network.subnet_of(own) for own in subnets):
                return True
    return False


def forget(iptables: Path, names: Sequence[str], subnets: Sequence[ipaddress.IPv4Network]) -> None:
    """Deletes the rules about these interfaces and subnets, in any chain."""
    for table in TABLES:
        for words in _rules(iptables, table):
            if words[0] == "-A" and _ours(words, names, subnets):
                _run([str(iptables), "-w", "-t", table, "-D", *words[1:]])


def restore(iptables: Path) -> None:
    """Puts back what `remember` found. Only for the last engine on the machine."""
    state = before.remembered().get("firewall")
    if state is None:
        return
    for table in TABLES:
        added = set(_chains(iptables, table)) - set(state["chains"][table])
        for words in _rules(iptables, table):
            if words[0] == "-A" and words[1] not in added and set(words) & added:
                _run([str(iptables), "-w", "-t", table, "-D", *words[1:]])
        for action in ("-F", "-X"):
            for chain in sorted(added):
                _run([str(iptables), "-w", "-t", table, action, chain])
    _run([str(iptables), "-w", "-P", "FORWARD", state["forward"]])
    for name, value in state["switches"].items():
        Path("/proc/sys", name).write_text(value)
