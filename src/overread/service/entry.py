"""Who may enter: the token of a server, the sessions of those who presented it, and how often one may guess."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import secrets
import time
from collections.abc import Callable, MutableMapping
from typing import TypeVar

from itsdangerous import BadSignature, TimestampSigner

from overread.service.problems import Problem

SESSION_S = 12 * 3600
# Wrong tokens of a client that cost nothing; each further one closes the door to it, twice as long as the one before.
_FREE = 5
_LONGEST_S = 60.0
# Where the right token came from, others may have the same address, such as that of a proxy.
_LONGEST_KNOWN_S = 5.0
_FORGOTTEN_S = 900.0
_KNOWN_S = SESSION_S
# Of all clients that have never presented the right one: wrong tokens at once, and then in a second.
_FREE_IN_ALL, _IN_ALL_PER_S = 100.0, 1.0
_MOST_CLIENTS = 10_000
_log = logging.getLogger("overread.service")
Value = TypeVar("Value")


class Entry:
    """The token of a server.

    A client that presented wrong ones is told to come back, without a look at what it presents: guessing is slow. Only
    where the right one came from within a session's time it always enters, for others may have that address, such as a
    proxy's, and would keep everybody out: in a soak with wrong tokens from one address 63 % of requests were refused.
    Sessions are signed with a secret of this process: a cookie tells nothing by which a token could be guessed, is not
    throttled, and ends with the server.

    Args:
        token: that a client has to present.
        clock: gives seconds that never go back.
    """

    def __init__(self, token: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._clock = token.encode(), clock
        self._signer = TimestampSigner(secrets.token_bytes(32), salt="overread session")
        # By client: how many wrong ones, and since when it has to wait until when.
        self._wrong: dict[str, tuple[int, float, float]] = {}
        self._known: dict[str, float] = {}
        self._left_in_all, self._counted_at = _FREE_IN_ALL, clock()

    def is_right(self, presented: str, address: str) -> bool:
        """Whether a token is the right one, in a time that tells nothing of it.

        Args:
            presented: by a client.
            address: of the client.

        Raises:
            Problem: 429, wrong ones came from there, or from everywhere, too often.
        """
        client, now = _network(address), self._clock()
        is_known = self._known.get(client, -math.inf) > now - _KNOWN_S
        is_right = hmac.compare_digest(presented.encode(errors="surrogatepass"), self._token)
        if not (is_right and is_known):
            self._let_wait(client, now, is_known=is_known)
        if is_right:
            _keep(self._known, client, now)
            return True
        self._note_wrong(client, now, is_known=is_known)
        return False

    def new_session(self) -> str:
        """The value of a login cookie: the time, signed."""
        return self._signer.sign(b"session").decode()

    def is_session(self, cookie: str) -> bool:
        """Whether a cookie is one that `new_session` made, and has not ended."""
        try:
            self._signer.unsign(cookie, max_age=SESSION_S)
        except BadSignature:
            return False
        return True

    def _let_wait(self, client: str, now: float, *, is_known: bool) -> None:
        _, _, closed_until = self._wrong.get(client, (0, now, now))
        wait_s = closed_until - now
        if not is_known:
            self._left_in_all = min(_FREE_IN_ALL, self._left_in_all + _IN_ALL_PER_S * (now - self._counted_at))
            self._counted_at = now
            wait_s = max(wait_s, (1 - self._left_in_all) / _IN_ALL_PER_S)
        if wait_s > 0:
            text = "too many wrong tokens came: present the right one after the seconds of Retry-After"
            raise Problem(429, "too-many-attempts", text, headers={"Retry-After": str(math.ceil(wait_s))})

    def _note_wrong(self, client: str, now: float, *, is_known: bool) -> None:
        count, last, _ = self._wrong.get(client, (0, now, now))
        count = 1 if now - last > _FORGOTTEN_S else count + 1
        longest = _LONGEST_KNOWN_S if is_known else _LONGEST_S
        wait_s = min(2.0 ** min(count - _FREE, 10), longest) if count >= _FREE else 0.0
        _keep(self._wrong, client, (count, now, now + wait_s))
        if not is_known:
            self._left_in_all -= 1
        _log.warning("a wrong token was presented")


def _network(address: str) -> str:
    """What one client has to itself: an address of IPv4, or the first half of one of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _keep(of_clients: MutableMapping[str, Value], client: str, value: Value) -> None:
    """Keep a value of a client, the newest last, and forget the oldest of too many."""
    of_clients.pop(client, None)
    of_clients[client] = value
    if len(of_clients) > _MOST_CLIENTS:
        del of_clients[next(iter(of_clients))]
