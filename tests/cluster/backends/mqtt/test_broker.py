"""Our own broker, beyond what every bus must do (tests/scenarios/kit/test_bus.py): who may come in, and when it is up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cluster.backends.group import Ask
from cluster.backends.mqtt.client import MqttPort
from cluster.backends.mqtt.embedded import prepare
from cluster.core.errors import EnvironmentFailed
from tests.cluster.backends.servers import embedded

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded("mqtt", tmp_path_factory.mktemp("mqtt")) as url:
        yield url


@pytest.mark.parametrize("who", ["", "faultline:guessed@"])
async def test_who_does_not_know_the_password_has_no_session(url: str, who: str) -> None:
    with pytest.raises(EnvironmentFailed, match="Not authorized"):
        async with MqttPort(f"mqtt://{who}127.0.0.1:{urlsplit(url).port}", "stranger"):
            pass


async def test_a_client_that_is_back_before_its_old_connection_ended_is_connected(url: str) -> None:
    async with MqttPort(url, "giver") as giver, MqttPort(url, "taker", persistent=True) as first:
        await first.subscribe("orders", 1)
        async with MqttPort(url, "taker", persistent=True) as second:
            with pytest.raises(EnvironmentFailed, match="the MQTT broker hung up"):
                await first.next()
            await giver.publish("orders", b"1", 1)
            assert (await second.next()).payload == b"1"


async def test_a_clean_session_leaves_nothing_to_resume(url: str) -> None:
    async with MqttPort(url, "giver2") as giver:
        async with MqttPort(url, "comes", persistent=True) as taker:
            await taker.subscribe("goods", 1)
        async with MqttPort(url, "comes"):
            pass
        async with MqttPort(url, "comes", persistent=True) as taker:
            await giver.publish("goods", b"1", 1)
            await taker.subscribe("goods", 1)
            await giver.publish("goods", b"2", 1)
            assert (await taker.next()).payload == b"2"


def test_every_run_has_a_password_of_its_own(tmp_path: Path) -> None:
    ask = Ask(("mqtt",), (1_883,), tmp_path, seed=7)
    first, second = (prepare(ask, lambda _process, _event, _fields: None).urls for _ in range(2))
    assert first != second
