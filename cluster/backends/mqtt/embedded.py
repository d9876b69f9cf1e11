"""An amqtt broker of the run's own: on loopback, behind a password, gone with the process that asked for it.

Law 1: the password is told to the broker through the zygote's socket and to clients in their URL; it stands on no command line.
Law 2: it is up when it answers CONNECT, not when its port is open.
"""

from __future__ import annotations

import asyncio
import secrets

import msgspec

from cluster.backends.group import Ask, Group, Launch, Trace

PACKAGES = ("aiomqtt", "amqtt")
PRELOADS = ("cluster.backends.mqtt.client",)
SCHEMES = ("mqtt://",)
PORTS_EACH = 1

USER = "faultline"
_ENTRY = "cluster.backends.mqtt.embedded:serve"
_RETRY_S = 0.02
_ACCEPTED = b"\x20\x02\x00\x00"


class Server(msgspec.Struct, frozen=True):
    """What it takes to start one."""

    port: int
    password: str

    @property
    def url(self) -> str:
        return f"mqtt://{USER}:{self.password}@127.0.0.1:{self.port}"


class Brokers(Group):
    """Brokers that share nothing."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self._servers = servers
        self.urls = tuple(server.url for server in servers.values())

    def launch(self, name: str, urls: tuple[str, ...] = ()) -> Launch:
        return Launch(_ENTRY, msgspec.msgpack.encode(self._servers[name]))

    async def answers(self, name: str) -> None:
        await answers(self._servers[name])


def prepare(ask: Ask, trace: Trace) -> Brokers:
    return Brokers({name: Server(port, secrets.token_hex(16)) for name, port in zip(ask.names, ask.ports, strict=True)})


def serve(payload: bytes) -> None:
    """Be the broker; the entry of a forked process."""
    # Here, not above: only this process pays for it.
    from cluster.backends.mqtt.keeping import keep

    server = msgspec.msgpack.decode(payload, type=Server)
    asyncio.run(keep(server.port, server.password))


async def answers(server: Server) -> None:
    """Until it accepts a session. For ever, if it never does."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            writer.write(_connect(server))
            if await reader.readexactly(len(_ACCEPTED)) == _ACCEPTED:
                writer.write(b"\xe0\x00")  # DISCONNECT
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
        await asyncio.sleep(_RETRY_S)


def _connect(server: Server) -> bytes:
    """CONNECT of MQTT 3.1.1 §3.1: a clean session, user and password, no keep-alive."""
    texts = (b"ping", USER.encode(), server.password.encode())
    body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(len(text).to_bytes(2, "big") + text for text in texts)
    assert len(body) < 128
    return bytes((0x10, len(body))) + body
