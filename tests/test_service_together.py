"""Requests that come at the same moment: each gets its own answer, and they are logged in one go."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn

from overread.reading import Reader
from overread.service.room.together import Together
from overread.service.server import listen
from overread.study.train import Study


class Desk:
    """Doubles numbers, refuses 13, and keeps the goes; the first waits until it may go on."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.go_on = threading.Event()

    def double(self, items: Sequence[int]) -> list[int | Exception]:
        self.goes.append(list(items))
        self.go_on.wait(10)
        if 0 in items:
            raise OSError("the disk is full")
        return [ValueError("13 is refused") if item == 13 else 2 * item for item in items]


async def _ask_all(desk: Desk, first: int, others: Sequence[int], *, cancelled: Sequence[int] = ()) -> list[Any]:
    """Answers to the others, which come while the first is being worked on."""
    with ThreadPoolExecutor(1) as threads:
        together = Together(desk.double, threads)
        begun = asyncio.create_task(together.ask(first))
        await asyncio.sleep(0)
        asked = [asyncio.create_task(together.ask(item)) for item in others]
        await asyncio.sleep(0.01)
        for item in cancelled:
            asked[others.index(item)].cancel()
        desk.go_on.set()
        await begun
        return await asyncio.gather(*asked, return_exceptions=True)


def test_what_comes_meanwhile_is_done_in_one_go_and_each_gets_its_own_answer() -> None:
    desk = Desk()
    assert asyncio.run(_ask_all(desk, 1, [2, 3, 4])) == [4, 6, 8]
    assert desk.goes == [[1], [2, 3, 4]]


def test_the_error_of_one_is_not_that_of_another() -> None:
    two, refused, four = asyncio.run(_ask_all(Desk(), 1, [2, 13, 4]))
    assert (two, four) == (4, 8) and isinstance(refused, ValueError)


def test_an_error_of_the_whole_is_told_to_all_of_it() -> None:
    assert {type(found) for found in asyncio.run(_ask_all(Desk(), 1, [2, 0, 4]))} == {OSError}


def test_one_that_is_cancelled_before_its_turn_is_not_done() -> None:
    desk = Desk()
    asyncio.run(_ask_all(desk, 1, [2, 3], cancelled=[2]))
    assert desk.goes == [[1], [3]]


def test_clients_at_the_same_time_get_the_readings_of_their_own_images(
    client: Any, tiny_study: Study, two_classes: Path
) -> None:
    reader = Reader.load(tiny_study.out / "bundle")
    paths = sorted(two_classes.glob("*/*.png"))[:24]

    def send(number: int) -> Any:
        bad = number % 6 == 5
        content = b"no image" if bad else paths[number].read_bytes()
        headers = {"Idempotency-Key": f"together-{number}"}
        return client.post("/v1/readings", files=[("files", (paths[number].name, content))], headers=headers)

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(len(paths))))
    for number, answer in enumerate(answers):
        if number % 6 == 5:
            assert answer.status_code == 422
            continue
        (item,) = answer.json()["images"]
        assert item["result"] == {**reader.read(paths[number]).to_dict(), "path": paths[number].name}
        assert client.get(f"/v1/readings/{answer.json()['id']}").json()["images"][0]["sha256"] == item["sha256"]


def test_an_answer_does_not_wait_until_its_headers_are_acknowledged() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        connection = http.client.HTTPConnection(*listening.getsockname()[:2], timeout=10)
        assert min(_seconds_of(connection) for _ in range(8)) < 0.03
        connection.close()
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _seconds_of(connection: http.client.HTTPConnection) -> float:
    start = time.perf_counter()
    connection.request("GET", "/")
    connection.getresponse().read()
    return time.perf_counter() - start
