"""Build secrets: read by the build, in nothing that stays."""

from __future__ import annotations

import base64
import io
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from tasks.buildkit.steps import quiet
from tasks.commands.leaking import touched
from tasks.engine import secrets
from tests.conftest import PrivateEngine
from tests.planned import findings, plan
from tests.scenario import Fleet, Ran

LOGIN = "machine example.com login me password hunter2-hunter2"
TOML = """
[defaults.secrets]
netrc = { file = "~/.netrc" }
token = { env = "API_TOKEN", optional = true }
[images.api]
"""
READS = """
FROM busybox:stable
RUN --mount=type=secret,id=netrc wc -c < /run/secrets/netrc > /size
RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /token || echo none > /token
"""


@pytest.fixture
def home(real: Fleet, tmp_path: Path) -> Path:
    """A home of one's own, with a .netrc."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".netrc").write_text(LOGIN + "\n")
    real.env["HOME"] = str(tmp_path / "home")
    # BuildKit's cache knows no secret's content either: what another test built must not serve.
    real.image("api", READS.replace("stable\n", f"stable\nENV TEST={real.owner}\n"))
    real.toml(TOML)
    return tmp_path / "home"


def everything(real: Fleet, engine: PrivateEngine) -> bytes:
    """Every byte of the image: layers, configuration, history."""
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    saved = subprocess.run(["docker", "save", name], env=engine.env, check=True, capture_output=True).stdout
    return saved + b"".join(_layers(saved))


def _layers(saved: bytes) -> list[bytes]:
    with tarfile.open(fileobj=io.BytesIO(saved)) as outer:
        blobs = [found.read() for member in outer if (found := outer.extractfile(member))]
    opened = []
    for blob in blobs:
        try:
            with tarfile.open(fileobj=io.BytesIO(blob)) as layer:
                opened += [found.read() for member in layer if (found := layer.extractfile(member))]
        except tarfile.TarError:
            continue
    return opened


def logs(real: Fleet) -> str:
    return "".join(path.read_text() for path in Path(real.env["XDG_STATE_HOME"]).rglob("*.log"))


def run(real: Fleet, engine: PrivateEngine, *command: str) -> str:
    return engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", *command)


@pytest.mark.engine
def test_the_build_reads_them_and_the_image_holds_none(
    real: Fleet, engine: PrivateEngine, home: Path
) -> None:
    del home
    token = "t0ken-that-" + "nobody-sees"
    ran = real.inv("build", env={"API_TOKEN": token}).ok()
    assert run(real, engine, "cat", "/size", "/token").split() == [str(len(LOGIN) + 1), str(len(token))]
    image, said = everything(real, engine), ran.out + ran.err + logs(real)
    for secret in ("hunter2-hunter2", token):
        assert secret.encode() not in image
        assert secret not in said


@pytest.mark.engine
def test_an_optional_one_that_lacks_is_done_without(real: Fleet, engine: PrivateEngine, home: Path) -> None:
    del home
    real.inv("build").ok()
    assert run(real, engine, "cat", "/token") == "none"


@pytest.mark.engine
def test_a_missing_file_and_an_unset_variable_are_said_at_once_before_the_build(
    real: Fleet, home: Path
) -> None:
    (home / ".netrc").unlink()
    real.toml(TOML.replace(", optional = true", ""))
    said = real.inv("build", env={"API_TOKEN": ""}).failed(3).err
    assert f"secret netrc of image api: there is no file ~/.netrc ({home}/.netrc). Provide it" in said
    assert "secret token of image api: the variable API_TOKEN is not set" in said
    assert "api" not in logs(real)


@pytest.mark.engine
def test_a_reused_image_needs_none(real: Fleet, home: Path) -> None:
    real.inv("build").ok()
    (home / ".netrc").unlink()
    (image,) = real.inv("build --json").ok().json["images"]
    assert image["verdict"] == "reused"


@pytest.mark.engine
def test_what_a_step_prints_of_a_secret_is_hidden(real: Fleet, home: Path) -> None:
    del home
    shows = "cat /run/secrets/netrc; base64 -w0 /run/secrets/netrc; exit 3"
    real.image("api", f"FROM busybox:stable\nRUN --mount=type=secret,id=netrc {shows}\n")
    ran = real.inv("build").failed(4)
    said = ran.out + ran.err + logs(real)
    assert "***" in said
    assert LOGIN not in said
    assert base64.b64encode(f"{LOGIN}\n".encode()).decode() not in said


@pytest.mark.engine
def test_one_that_stands_in_an_argument_too_is_hidden_where_the_builder_tells_of_it(
    real: Fleet, home: Path
) -> None:
    del home
    mount = "--mount=type=secret,id=netrc"
    runs = f'RUN {mount} echo "$login"\nRUN {mount} echo "$login"; exit 3\n'
    real.image("api", f'FROM busybox:stable\nARG login="{LOGIN}"\n{runs}')
    ran = real.inv("build").failed(4)
    said = ran.out + ran.err + logs(real)
    assert "***" in said
    assert LOGIN not in said


@pytest.mark.engine
def test_one_in_an_image_is_found_also_where_another_image_failed(real: Fleet, home: Path) -> None:
    """And found again: what leaks is not there to be reused when the other one is mended."""
    del home
    leaks(real)
    real.image("worker", "FROM busybox:stable\nRUN false\n")
    real.toml(f"{TOML}[images.worker]\n")
    ran = real.inv("build --keep-going").failed(4)
    assert "1 of 2 images failed: worker" in ran.err
    assert "the secret netrc is in /root/login" in ran.err
    real.image("worker", "FROM busybox:stable\n")
    assert "the secret netrc is in /root/login" in real.inv("build").failed(5).err


@pytest.mark.engine
def test_what_was_built_before_ctrl_c_is_looked_into_by_the_next_build(real: Fleet, home: Path) -> None:
    del home
    leaks(real)
    real.image("worker", f"FROM busybox:stable\nRUN echo {real.owner}; sleep 300\n")
    real.toml(f"{TOML}[images.worker]\n")
    process = real.start("build")
    deadline = time.monotonic() + 120
    while not real.run("docker", "image", "ls", "-q", f"{real.registry}/{real.owner}/api").ok().out:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the secret netrc is in /root/login" in real.inv("build --images api").failed(5).err


def leaks(real: Fleet) -> None:
    """An image that keeps its .netrc."""
    real.image(
        "api",
        f"FROM busybox:stable\nENV TEST={real.owner}\n"
        "RUN --mount=type=secret,id=netrc mkdir -p /root && cp /run/secrets/netrc /root/login\n",
    )


@pytest.mark.engine
def test_an_argument_that_looks_like_one_is_warned_of_while_building(real: Fleet) -> None:
    real.image("api", f"FROM busybox:stable\nARG API_TOKEN\nRUN echo {real.owner} > /mark\n")
    table = '[images.api]\nargs = { API_TOKEN = "hunter2hunter2" }\n'
    real.toml(table)
    said = real.inv("build").ok().err
    assert "warning: api: images.api.args.API_TOKEN looks like a credential" in said
    assert "hunter2" not in said
    real.toml(f'[lint]\nignore = ["credential"]\n{table}')
    assert "looks like" not in real.inv("build --rebuild").ok().err


@pytest.mark.engine
def test_one_that_nobody_mounts_is_warned_of_while_building(real: Fleet, home: Path) -> None:
    del home
    real.image("api", "FROM busybox:stable\n")
    assert "warning: api: secret netrc is given and mounted by no RUN" in real.inv("build").ok().err


@pytest.mark.engine
def test_ssh_is_forwarded_from_the_agent(real: Fleet, engine: PrivateEngine, tmp_path: Path) -> None:
    key, agent = tmp_path / "key", tmp_path / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    real.image(
        "api", 'FROM busybox:stable\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo there > /agent\n'
    )
    real.toml('[images.api]\nssh = ["default"]\n')
    said = real.inv("build").failed(3).err
    assert "ssh default of image api: no agent is running (SSH_AUTH_SOCK is not set)" in said
    with subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not agent.exists():
                assert process.poll() is None, "ssh-agent has ended"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            subprocess.run(["ssh-add", "-q", key], check=True, env=real.env | {"SSH_AUTH_SOCK": str(agent)})
            real.inv("build", env={"SSH_AUTH_SOCK": str(agent)}).ok()
        finally:
            process.terminate()
    assert run(real, engine, "cat", "/agent") == "there"


def test_bake_is_told_where_they_are_and_never_what(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(LOGIN)
    fleet.image("api", READS)
    fleet.toml(TOML.replace(".netrc", "a,b").replace("[images.api]", '[images.api]\nssh = ["key=id"]'))
    env = {"HOME": str(tmp_path), "API_TOKEN": "t0ken-that-nobody-sees"}
    ran: Ran = fleet.inv("plan --format bake", env=env).ok()
    assert ran.json["target"]["api"]["secret"] == [
        f'id=netrc,"src={tmp_path}/a,b"',
        "id=token,env=API_TOKEN",
    ]
    assert "t0ken" not in ran.out


def test_they_may_have_got_into_whatever_stands_on_an_image_that_has_some(fleet: Fleet) -> None:
    for name, base in (
        ("builder", "busybox"),
        ("api", "acme/builder"),
        ("web", "acme/api"),
        ("other", "busybox"),
    ):
        fleet.image(name, f"FROM {base}\n")
    given = 'secrets = { token = { env = "TOKEN" } }'
    fleet.toml(f"[images.builder]\n{given}\n[images.api]\n[images.web]\n[images.other]\n")
    assert [image.name for image in touched(plan(fleet))] == ["builder", "api", "web"]
    assert [image.name for image in touched(plan(fleet, "web"))] == ["web"]


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("//registry.npmjs.org/:_authToken=npm_abc123XYZ\n", "npm_abc123XYZ"),
        ("machine example.com\nlogin me\npassword hunter2-hunter2\n", "hunter2-hunter2"),
        ("machine example.com login me password hunter2-hunter2", "hunter2-hunter2"),
        ("HOST=example.com\nAPI_KEY='hunter2-hunter2'\n", "hunter2-hunter2"),
    ],
)
def test_a_log_hides_whatever_is_looked_for_in_images(fleet: Fleet, text: str, telling: str) -> None:
    """A program prints a login's one telling word by itself, or encodes it with what stands around it."""
    fleet.image("api", READS)
    fleet.toml('[images.api.secrets]\nlogin = { file = "login" }\n')
    fleet.file("login", text)
    hidden = secrets.hidden(plan(fleet)["api"], fleet.root, {})
    assert {form.decode() for form in secrets.forms(text.encode())} <= set(hidden)
    coded = base64.b64encode(f"me:{telling}\n".encode()).decode()
    for line in (f"> token {telling}.", f"Authorization: Basic {coded}"):
        assert "***" in quiet(line, hidden)
        assert telling not in quiet(line, hidden)


def test_an_images_own_are_added_to_the_defaults(fleet: Fleet) -> None:
    fleet.image("api", READS)
    fleet.toml(TOML + 'secrets = { token = { file = "token" }, more = { env = "MORE" } }\n')
    assert [(one.id, str(one)) for one in plan(fleet)["api"].secrets] == [
        ("netrc", "~/.netrc"),
        ("token", "token"),
        ("more", "the variable MORE"),
    ]


def test_where_one_comes_from_must_be_clear(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[images.api.secrets]\na = { file = "x", env = "X" }\nb = {}\n')
    assert findings(fleet) == [
        "images.api.secrets.a: a secret comes from a `file` or from an `env` variable",
        "images.api.secrets.b: a secret comes from a `file` or from an `env` variable",
    ]
