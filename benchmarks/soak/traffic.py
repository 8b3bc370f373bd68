"""The clients of the soak: well-behaved ones, whose every answer is written down, and nuisances."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.client
import json
import random
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable

from soak.server import HOST, TOKEN

_BOUNDARY = "soak"
_ENTITLED = {"Authorization": f"Bearer {TOKEN}"}


@dataclasses.dataclass(frozen=True)
class Answer:
    """One request: what kind, when it began, how long it took; status 0 if no answer came, or not the expected one."""

    kind: str
    time: float
    seconds: float
    status: int


@dataclasses.dataclass
class Ledger:
    """What was sent and answered: the truth against which the log is held."""

    answers: list[Answer] = dataclasses.field(default_factory=list)
    readings: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    reviews: dict[tuple[str, int], str] = dataclasses.field(default_factory=dict)
    wrong: list[str] = dataclasses.field(default_factory=list)


class Client(threading.Thread):
    """Sends one request after the other, with pauses, until it is told to stop."""

    def __init__(
        self,
        port: int,
        ledger: Ledger,
        contents: dict[str, list[bytes]],
        *,
        seed: int,
        pause_s: float,
        classes: list[str],
    ) -> None:
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self._port, self._ledger, self._contents, self._pause_s, self._classes = (
            port,
            ledger,
            contents,
            pause_s,
            classes,
        )
        self._chance = random.Random(seed)
        self._own: list[str] = []
        kinds: dict[Callable[[], int], float] = {
            self.picture: 10, self.zip: 1, self.bad_file: 5, self.explanation: 1, self.review: 2, self.look_up: 2,
            self.repeat: 1, self.wrong_token: 1, self.page: 1, self.health: 1,
        }  # fmt: skip
        self._kinds, self._weights = list(kinds), list(kinds.values())

    def run(self) -> None:
        """Be a client."""
        while not self.ending.is_set():
            (kind,) = self._chance.choices(self._kinds, self._weights)
            self.ask(kind)
            self.ending.wait(self._chance.expovariate(1 / self._pause_s))

    def ask(self, kind: Callable[[], int]) -> None:
        """Do one thing, and write down what came of it."""
        began, start, status = time.monotonic(), time.perf_counter(), 0
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = kind()
        self._ledger.answers.append(Answer(kind.__name__, began, time.perf_counter() - start, status))

    def picture(self) -> int:
        """One picture."""
        return self._read(self._chance.choice(self._contents["picture"]))

    def zip(self) -> int:
        """A zip of pictures."""
        return self._read(self._chance.choice(self._contents["zip"]))

    def bad_file(self) -> int:
        """A file that may be refused, and nothing else."""
        return self._read(self._chance.choice(self._contents["bad"]), or_refused=True)

    def repeat(self) -> int:
        """The same request twice, which is read once."""
        content, key = self._chance.choice(self._contents["picture"]), uuid.uuid4().hex
        first = self._read(content, key=key)
        known = self._own[-1] if self._own else None
        second = self._read(content, key=key)
        if first == second == 200 and self._own[-1] != known:
            self._ledger.wrong.append(f"a repeated request was read twice: {known}, {self._own[-1]}")
        return second

    def explanation(self) -> int:
        """A picture under its activation map."""
        content = self._chance.choice(self._contents["picture"])
        status, body, identity = self._upload("/v1/explanations", content, {})
        if status == 200:
            self._ledger.readings[identity] = [hashlib.sha256(content).hexdigest()]
            if not body.startswith(b"\x89PNG"):
                self._ledger.wrong.append("an explanation is no PNG")
        return status

    def review(self) -> int:
        """A human's opinion of an earlier picture."""
        if not self._own:
            return self.picture()
        identity, label = self._chance.choice(self._own), self._chance.choice(self._classes)
        address = f"/v1/readings/{identity}/images/0/review"
        status, _ = self._ask("POST", address, json.dumps({"true_label": label}).encode(), _ENTITLED)
        self._ledger.reviews.pop((identity, 0), None)  # of one that was refused nobody knows whether it is kept
        if status == 204:
            self._ledger.reviews[identity, 0] = label
        return 200 if status == 204 else status

    def look_up(self) -> int:
        """An earlier reading, which says what it said."""
        if not self._own:
            return self.picture()
        identity = self._chance.choice(self._own)
        status, body = self._ask("GET", f"/v1/readings/{identity}", b"", _ENTITLED)
        if status == 200 and _digests(body) != self._ledger.readings[identity]:
            self._ledger.wrong.append(f"{identity} is another reading than the one answered")
        return status

    def wrong_token(self) -> int:
        """A request of a stranger."""
        status, _ = self._ask("GET", "/v1/bundles", b"", {"Authorization": "Bearer a guess at a token"})
        return 200 if status in (401, 429) else status  # who guesses is told to wait

    def page(self) -> int:
        """The page for people."""
        return self._ask("GET", self._chance.choice(["/", "/metrics", "/v1/bundles"]), b"", _ENTITLED)[0]

    def health(self) -> int:
        """Whether it lives."""
        return self._ask("GET", "/healthz", b"", {})[0]

    def _read(self, content: bytes, *, key: str | None = None, or_refused: bool = False) -> int:
        status, body, _ = self._upload("/v1/readings", content, {"Idempotency-Key": key or uuid.uuid4().hex})
        if status == 200:
            identity = json.loads(body)["id"]
            self._ledger.readings[identity] = _digests(body)
            self._own.append(identity)
        return 200 if or_refused and status in (413, 422) else status

    def _upload(self, address: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="Doe^John.dcm"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        connection = http.client.HTTPConnection(HOST, self._port, timeout=90)
        with contextlib.closing(connection):
            connection.request("POST", address, body, {**_ENTITLED, **kind, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Reading-Id", "")

    def _ask(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=90)
        with contextlib.closing(connection):
            kind = {"Content-Type": "application/json"} if body else {}
            connection.request(method, address, body, {**kind, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()


class Nuisance(threading.Thread):
    """Connections that are silent, slow, broken off or nonsense, one after the other; what comes of them is its own."""

    def __init__(self, port: int, *, seed: int) -> None:
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self._port, self._chance = port, random.Random(seed)

    def run(self) -> None:
        """Be a nuisance."""
        kinds = [self._silent, self._slow_head, self._slow_body, self._broken_off, self._nonsense, self._crowd]
        while not self.ending.is_set():
            with contextlib.suppress(OSError):
                self._chance.choice(kinds)()
            self.ending.wait(1)

    def _connect(self) -> socket.socket:
        return socket.create_connection((HOST, self._port), timeout=5)

    def _silent(self) -> None:
        with self._connect():
            self.ending.wait(20)

    def _slow_head(self) -> None:
        with self._connect() as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            self._trickle(connection)

    def _slow_body(self) -> None:
        head = (
            f"POST /v1/readings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: 100000\r\n\r\n"
        )
        with self._connect() as connection:
            connection.sendall(head.encode())
            self._trickle(connection)

    def _trickle(self, connection: socket.socket) -> None:
        for _ in range(60):
            if self.ending.wait(0.5):
                return
            connection.sendall(b"x")

    def _broken_off(self) -> None:
        with self._connect() as connection:
            connection.sendall(b"POST /v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n--x")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _nonsense(self) -> None:
        with self._connect() as connection:
            connection.sendall(self._chance.randbytes(2000) + b"\r\n\r\n")
            connection.recv(1000)

    def _crowd(self) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(self._connect())
            self.ending.wait(3)


def _digests(body: bytes) -> list[str]:
    return [image["sha256"] for image in json.loads(body)["images"]]
