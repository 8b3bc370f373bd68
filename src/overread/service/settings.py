"""How a server is run: where it listens, who may use it, and how much it takes on."""

from __future__ import annotations

import dataclasses
import ipaddress
import os

from overread.errors import InvalidOption

MIB = 2**20
_SHORTEST_TOKEN = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a server.

    Args:
        host: address to listen on; any but loopback needs a token.
        names: further host names under which it is reached, such as that of a proxy before it; they need a token.
        token: what a user has to present; None where only this machine reaches the server.
        max_upload_bytes: of a request, and of all that its zip files hold.
        max_file_bytes: of one image.
        max_files: images in a request, those within zip files counted.
        max_pixels: of one image; looked up in its header, before decoding.
        max_ratio: how many times as large as its compressed form a file within a zip may be.
        max_waiting: images that may wait in all; a request beyond is told to come back later.
        max_requests: uploads that are taken in at the same time.
        workers: processes that decode, and threads that infer.
        timeout_s: for decoding one image; its process is ended then.
        upload_timeout_s: for receiving a request.
        memory_bytes: address space of a process that decodes.
        max_exam_files: files in a request to a bundle that reads exams, those within zip files counted.
        max_frames: of one exam.
        exam_timeout_s: for reading one exam; `timeout_s` is that for opening it, and for every few frames.
        keep_exams_s: how long an exam that was read on the page can be looked at, from the last time that it was.
        max_kept_bytes: of all these exams; those not looked at for longest go first.

    Raises:
        InvalidOption: a value is out of range, or a token is missing or too short.
    """

    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    token: str | None = dataclasses.field(default=None, repr=False)
    max_upload_bytes: int = 128 * MIB
    max_file_bytes: int = 64 * MIB
    max_files: int = 100
    max_pixels: int = 64 * MIB
    max_ratio: int = 200
    max_waiting: int = 200
    max_requests: int = 8
    # Two at least, so that a file that hangs does not keep the others waiting.
    workers: int = dataclasses.field(default_factory=lambda: max(2, os.cpu_count() or 1))
    timeout_s: float = 20.0
    upload_timeout_s: float = 120.0
    memory_bytes: int = 4096 * MIB
    max_exam_files: int = 5000
    max_frames: int = 200_000
    exam_timeout_s: float = 600.0
    keep_exams_s: float = 1800.0
    max_kept_bytes: int = 4096 * MIB

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value <= 0:
                raise InvalidOption(f"{field.name}={value}: choose a value above 0")
        if self.max_waiting < self.max_files:
            raise InvalidOption(f"max_waiting={self.max_waiting} would never admit a request of {self.max_files} files")
        if self.token is not None and (len(self.token) < _SHORTEST_TOKEN or not self.token.isascii()):
            raise InvalidOption(
                f"the token is short or not ASCII: choose {_SHORTEST_TOKEN} characters or more, at random"
            )
        if self.token is None and not (is_loopback(self.host) and not self.names):
            raise InvalidOption(
                "a server that other machines reach needs a token: put one into the environment variable "
                "OVERREAD_TOKEN or a file for --token-file, such as the output of: openssl rand -hex 32"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost may lead anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
