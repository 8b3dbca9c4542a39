"""The few packet filter rules by which containers reach the network, and the switch for forwarding.

dockerd is not let near the machine's packet filter: it would empty the chains of any other dockerd on the machine and
leave a changed policy behind. Instead each engine has three rules of ours, marked with its name, for its own pool of
addresses. Published ports need no rule: docker-proxy serves them.
"""

from __future__ import annotations

import ipaddress
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import before, files
from .problem import ProblemError

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _rules(pool: ipaddress.IPv4Network, mark: str) -> list[tuple[str, str, list[str]]]:
    """Returns the rules of one engine: table, chain, words."""
    comment = ["-m", "comment", "--comment", mark]
    known = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
    return [
        ("nat", "POSTROUTING", ["-s", str(pool), "!", "-d", str(pool), *comment, "-j", "MASQUERADE"]),
        # Another dockerd's policy may be to drop what is forwarded.
        ("filter", "FORWARD", ["-s", str(pool), *comment, "-j", "ACCEPT"]),
        ("filter", "FORWARD", ["-d", str(pool), *known, *comment, "-j", "ACCEPT"]),
    ]


def _works(program: Path) -> bool:
    # Tried in an empty network namespace, where it touches nobody.
    trials = _rules(ipaddress.IPv4Network("10.0.0.0/18"), "argosy-trial")
    script = " && ".join(f'"$0" -t {table} -A {chain} {shlex.join(rule)}' for table, chain, rule in trials)
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
        "The kernel needs NF_TABLES or IP_NF_IPTABLES with NAT, MASQUERADE, comment and conntrack."
    )


def open_for(iptables: Path, pool: ipaddress.IPv4Network, mark: str) -> None:
    """Lets this pool's addresses out, under rules marked `mark`; forwarding is remembered as it was and turned on."""
    close_for(iptables, mark)
    for table, chain, rule in _rules(pool, mark):
        done = _run([str(iptables), "-w", "-t", table, "-I", chain, *rule])
        if done.returncode != 0:
            raise ProblemError(
                f"A packet filter rule was refused: {shlex.join(done.args)}\n    {done.stderr.strip()}"
            )
    before.remember("forwarding", FORWARDING.read_text().strip())
    FORWARDING.write_text("1")


def close_for(iptables: Path, mark: str) -> None:
    """Deletes the rules marked `mark`, and no other."""
    for table in ("nat", "filter"):
        for line in _run([str(iptables), "-w", "-t", table, "-S"]).stdout.splitlines():
            words = shlex.split(line)
            if words[0] == "-A" and mark in words:
                _run([str(iptables), "-w", "-t", table, "-D", *words[1:]])


def restore_forwarding() -> None:
    """Sets forwarding to what it was. Only for the last engine on the machine."""
    value = before.remembered().get("forwarding")
    if value is not None:
        FORWARDING.write_text(str(value))
