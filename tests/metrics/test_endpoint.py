"""HTTP for Prometheus and health checks, over real sockets."""

import http.client
import shutil
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.outgate import Outgate
from lab.waiting import wait_until
from metrics.samples import families, samples
from metrics.worker import work
from outgate import __version__
from outgate.config.reader import load
from outgate.metrics import names
from outgate.metrics.endpoint import Endpoint
from outgate.metrics.metric import Kind
from outgate.metrics.names import METRICS
from outgate.metrics.status import Status
from outgate.policy.compiled import Policy


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    code: int
    content_type: str
    text: str


def get(
    port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1"
) -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return Answer(
            answer.status,
            answer.getheader("Content-Type", ""),
            answer.read().decode(),
        )
    finally:
        connection.close()


@pytest.fixture
def status() -> Status:
    """What the keeper knows."""
    return Status()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where workers keep their counters."""
    place = tmp_path / "metrics"
    place.mkdir()
    return place


@pytest.fixture
def port(directory: Path, status: Status) -> int:
    """A running endpoint; it ends with its process, and has no other end."""
    endpoint = Endpoint(("127.0.0.1", 0), directory, status)
    endpoint.start()
    return endpoint.port


def test_metrics_of_workers_and_of_the_keeper_are_one_page(
    port: int, directory: Path, status: Status
) -> None:
    """A scraper asks one port of a host."""
    work(directory, 0, "message")
    status.put(names.HELD_MESSAGES, 7)
    status.put_all(names.WORKERS, {"ready": 2})

    answer = get(port, "/metrics")

    assert answer.code == 200
    assert answer.content_type.startswith("text/plain; version=")
    found = samples(answer.text)
    assert sum(found["outgate_messages_total"].values()) == 1
    assert found["outgate_held_messages"] == {(): 7}
    assert found["outgate_workers"] == {
        (("state", "starting"),): 0,
        (("state", "ready"),): 2,
        (("state", "draining"),): 0,
    }


def test_what_the_keeper_counts_is_born_at_0(port: int) -> None:
    """Before its first round: restarts and reloads; what it does not know is absent."""
    found = samples(get(port, "/metrics").text)

    for metric in (names.WORKER_RESTARTS, names.RELOADS, names.WORKERS):
        assert set(found[metric.name].values()) == {0}
    assert names.HELD_MESSAGES.name not in found


def test_a_healthy_process_says_so_whatever_else_is_wrong(port: int) -> None:
    """`/healthz` is whether the keeper lives."""
    assert get(port, "/healthz") == Answer(200, "text/plain; charset=utf-8", "ok\n")


def test_readiness_says_why(port: int, status: Status) -> None:
    """503 and a line until mail is served as configured, and when it is not."""
    assert get(port, "/readyz") == Answer(
        503, "text/plain; charset=utf-8", "starting\n"
    )
    status.ready, status.detail = True, "ready"
    assert get(port, "/readyz") == Answer(200, "text/plain; charset=utf-8", "ready\n")


def test_a_query_is_no_other_page(port: int) -> None:
    """Some probes add one."""
    assert get(port, "/healthz?verbose=1").code == 200


def test_other_pages_name_the_ones_there_are(port: int) -> None:
    """404, for a person with a browser too."""
    answer = get(port, "/")

    assert answer.code == 404
    assert answer.text == "try /metrics, /healthz or /readyz\n"


def test_nothing_is_taken(port: int) -> None:
    """There is no POST, and no word about the library behind it."""
    answer = get(port, "/metrics", method="POST")

    assert answer.code == 501
    assert "Python" not in answer.text


def test_a_directory_that_is_gone_is_an_error_of_one_line(
    port: int, directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody cleaned /run; the endpoint lives, and no traceback is in the log."""
    directory.rmdir()

    answer = get(port, "/metrics")

    assert answer.code == 500
    assert answer.text.startswith("no metrics: ")
    assert get(port, "/healthz").code == 200
    assert capfd.readouterr().err == ""


def test_a_scraper_that_hangs_up_is_no_news(
    port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody reads a traceback about it in the log of the mail."""
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as client:
            # A reset instead of an orderly end.
            client.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")

    assert get(port, "/healthz").code == 200
    assert capfd.readouterr().err == ""


def test_it_serves_ipv6(directory: Path, status: Status) -> None:
    """`listen = "[::1]:9894"` is what it says."""
    endpoint = Endpoint(("::1", 0), directory, status)
    endpoint.start()

    assert get(endpoint.port, "/healthz", host="::1").code == 200


def _exposition(daemon: Outgate) -> str:
    """A scrape after the keeper's first round."""
    text = ""

    def is_complete() -> bool:
        nonlocal text
        text = get(daemon.metrics_port, "/metrics").text
        return "\noutgate_held_messages " in text

    wait_until(is_complete, "the keeper's first round")
    return text


def test_a_daemon_exports_the_table_and_nothing_else(outgate: Outgate) -> None:
    """Each metric with its type and its sentence, none that the page does not have."""
    found = {
        family.name: (family.type, family.documentation)
        for family in families(_exposition(outgate))
    }

    assert found == {
        metric.name.removesuffix("_total")
        if metric.kind is Kind.COUNTER
        else metric.name: (metric.kind.value, metric.text)
        for metric in METRICS
    }


def test_a_daemon_uses_the_labels_of_the_table_and_their_words(
    outgate: Outgate,
) -> None:
    """Nothing that a sender chose is ever a label."""
    found = samples(_exposition(outgate))
    settings = load(outgate.config)
    at_run_time = {
        "version": {__version__},
        "limit": Policy.build(settings.for_policy()).limit_names(),
    }

    for metric in METRICS:
        name = metric.name if not metric.buckets else f"{metric.name}_count"
        words = dict(metric.labels)
        for labels in found[name]:
            assert {label for label, _ in labels} == set(words)
            for label, word in labels:
                assert word in (words[label] or at_run_time[label])


def test_promtool_finds_nothing_to_say(outgate: Outgate) -> None:
    """Names, units and HELP lines as Prometheus wants them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here: apt install prometheus")

    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=_exposition(outgate),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
