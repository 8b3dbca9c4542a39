"""What services answer, also those that never come to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.checks import answers


@pytest.fixture
def served() -> Iterator[tuple[str, int]]:
    """A service that answers with a text, in pieces, or without end."""
    ended = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            pieces = [b"data: one\n", b"data: two\n"]
            if self.path == "/whole":
                self.send_header("Content-Length", str(sum(map(len, pieces))))
                self.end_headers()
                self.wfile.write(b"".join(pieces))
            elif self.path == "/pieces":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in [*pieces, b""]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            else:
                self.end_headers()
                self.wfile.write(b"".join(pieces))
                while not ended.wait(0.05):
                    self.wfile.write(b": a heartbeat\n")

        def log_message(self, *said: object) -> None:
            del said

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ("127.0.0.1", server.server_port)
        ended.set()
        server.shutdown()


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
def test_an_answer_is_read_to_its_end(served: tuple[str, int], path: str) -> None:
    assert answers.get(served, path) == (200, "data: one\ndata: two\n")


@pytest.mark.timeout(60)
def test_of_one_without_end_that_counts_which_came_in_time(
    served: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "SECONDS", 1.0)
    answer = answers.get(served, "/events")
    assert not isinstance(answer, str)
    assert answer[0] == 200
    assert answer[1].startswith("data: one\ndata: two\n")


def test_a_path_may_hold_any_letter(served: tuple[str, int]) -> None:
    assert isinstance(answers.get(served, "/é ?q=a%20b"), tuple)
