"""Requests that come at the same moment: each gets its own answer, and they are logged in one go."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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


def test_a_socket_names_its_protocol_without_which_asyncio_lets_answers_wait_for_an_acknowledgement() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
