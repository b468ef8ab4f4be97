"""What locustfiles do with ``self.client``, on acrida and on Locust: they have to see the same."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from echo import Echo, Tunnel
from support import Program

HEAD = """
import json, logging
from locust import HttpUser, FastHttpUser, constant, events, task
import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

def say(*what):
    print("SAID", json.dumps(what, default=str))

@events.quitting.add_listener
def counted(environment, **_):
    stats = environment.stats
    say("counted", [(key, entry.num_requests, entry.num_failures) for key, entry in sorted(stats.entries.items())])
    say("failed", sorted(error.to_name() for error in stats.errors.values()))

class TheUser({base}):
    wait_time = constant(100)
    @task
    def once(self):
        try:
            self.steps()
        finally:
            self.environment.runner.quit()
    def steps(self):
        client = self.client
{steps}
"""


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def said(program: Program, folder: Path, url: str, steps: str, base: str = "HttpUser") -> list[str]:
    """What a user says that takes these steps once."""
    folder = folder / program.name
    folder.mkdir(exist_ok=True)
    body = textwrap.indent(textwrap.dedent(steps).strip(), " " * 8)
    (folder / "locustfile.py").write_text(HEAD.format(base=base, steps=body))
    finished = program.run(*f"--headless -u 1 -t 20s --host {url}".split(), cwd=folder)
    assert "Traceback" not in finished.stderr, finished.stderr
    return [line for line in finished.stdout.splitlines() if line.startswith("SAID")]


def same_on_both(acrida: Program, locust: Program, folder: Path, url: str, steps: str, base: str = "HttpUser") -> None:
    expected = said(locust, folder, url, steps, base)
    assert expected
    assert said(acrida, folder, url, steps, base) == expected


FORMS = {
    "session settings": """
        client.headers["X-A"] = "1"
        client.params = {"p": "of session", "gone": "x"}
        client.auth = ("user", "pass")
        say(client.get("/a", params={"q": [1, 2], "gone": None}, headers={"X-B": "2"}).json())
        say(client.get("/a", params="raw=1", headers={"X-A": None}, name="raw").json())
        say(client.post("/b", data={"k": "v w"}, auth=HTTPBasicAuth("other", "x")).json())
    """,
    "headers that are replaced": """
        for number in range(9):
            client.headers["X-A"] = str(number)
        client.get("/a")
        client.headers = {"authorization": "Bearer x"}
        say(client.get("/a").json()["headers"].get("authorization"), client.headers.get("x-a"))
        client.headers["X-B"] = "2"
        say({k: v for k, v in client.get("/a", headers={"X-C": "3"}).json()["headers"].items() if k[0] in "ax"})
    """,
    "an authentication object": """
        class Signed(AuthBase):
            def __call__(self, request):
                request.headers["X-Signed"] = f"{request.method} {request.path_url} {len(request.body or b'')}"
                return request
        say(client.post("/sign?x=1", json={"a": 1}, auth=Signed()).json())
        client.auth = Signed()
        say(client.get("/sign").json())
        say(client.get("/redirect?status=302&to=/after", name="redirected").json()["path"])
    """,
    "digest authentication": """
        for _ in range(2):
            answer = client.get("/digest", auth=HTTPDigestAuth("user", "secret"))
            say(answer.status_code, answer.json(), [step.status_code for step in answer.history])
        say(client.get("/digest", auth=HTTPDigestAuth("user", "wrong"), name="wrong").status_code)
    """,
    "hooks": """
        def note(response, *args, **kwargs):
            say("hook", response.status_code, sorted(kwargs))
        def refuse(response, *args, **kwargs):
            raise requests.exceptions.HTTPError("refused by a hook")
        say(client.get("/a", hooks={"response": note}).status_code)
        say(client.get("/redirect?status=301&to=/b", hooks={"response": [note]}, name="r").status_code)
        client.hooks["response"].append(note)
        say(client.get("/c").status_code)
        say(client.get("/d", hooks={"response": refuse}).status_code)
        with client.get("/e", catch_response=True) as response:
            response.failure("no")
    """,
    "generated bodies": """
        def pieces():
            yield b"one"
            yield b"two"
        say(client.post("/g", data=pieces()).json())
        say(client.put("/g", data=iter(["a", "b"]) if False else pieces(), headers={"Content-Type": "x/y"}).json())
    """,
    "links": """
        header = '<http://h/a?p=2,x>; rel="next", <http://h/z>;rel=last; title="b, c" , <http://h/none>'
        for link in (header, ""):
            say(client.get("/a", params={"link": link}, name="a").links)
    """,
    "redirects": """
        for status in (301, 302, 303, 307, 308):
            answer = client.post(f"/redirect?status={status}&to=/end", data={"a": 1}, name=f"r{status}")
            say(answer.json(), answer.url.rpartition(":")[2][5:], [(s.status_code, s.headers["X-Step"], s.text) for s in answer.history])
        answer = client.get("/redirect?status=302&to=/end", allow_redirects=False, name="kept")
        say(answer.status_code, answer.is_redirect, answer.headers["Location"])
    """,
    "streamed answers": """
        def read(pieces):
            seen = []
            for piece in pieces:
                if not seen:
                    client.get("/go")
                seen.append(piece)
            return seen
        with client.get("/pieces?count=3", stream=True, catch_response=True, name="lines") as answer:
            say([line.decode() for line in read(answer.iter_lines())])
            answer.success()
        answer = client.get("/pieces?count=3", stream=True, name="content")
        say("".join(read(answer.iter_content(chunk_size=7, decode_unicode=True))))
        answer = client.get("/pieces?count=2", stream=True, name="raw")
        say(read(iter(lambda: answer.raw.read(7).decode(), "")))
        client.get("/go")
        answer = client.get("/pieces?count=2", stream=True, name="whole")
        say(answer.text, answer.headers["Content-Type"], answer.status_code)
        client.get("/go")
        client.get("/pieces?count=2", stream=True, name="left").close()
    """,
    "exceptions are requests' own": """
        def refusing(response, *args, **kwargs):
            raise requests.exceptions.ConnectionError("x")
        for kwargs in ({}, {"hooks": {"response": refusing}}):
            answer = client.get("http://127.0.0.1:9/none", name="none", **kwargs)
            try:
                answer.raise_for_status()
            except requests.exceptions.ConnectionError as error:
                say("caught", isinstance(error, requests.exceptions.RequestException))
        try:
            client.get("nonsense://x", name="x")
        except (requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as error:
            say("caught", type(error).__name__)
        try:
            client.get("/a").json()["nothing"]
        except KeyError:
            say("caught KeyError")
    """,
}


@pytest.mark.parametrize("steps", FORMS.values(), ids=FORMS.keys())
def test_a_client_is_used_as_requests_is(
    acrida: Program, locust: Program, echo: Echo, tmp_path: Path, steps: str
) -> None:
    same_on_both(acrida, locust, tmp_path, echo.url, steps)


def test_a_fast_client_reads_answers_while_they_arrive(
    acrida: Program, locust: Program, echo: Echo, tmp_path: Path
) -> None:
    promptly = """
        seen = []
        for line in client.iter_lines("/pieces?count=3", name="lines"):
            if not seen:
                client.get("/go")
            seen.append(line)
        say(seen)
    """
    lines = said(acrida, tmp_path, echo.url, promptly, base="FastHttpUser")[0]
    assert lines == 'SAID [["line 0", "line 1", "line 2"]]'  # Locust's waits for 1,024 bytes first.
    steps = """
        client.get("/go")
        with client.get("/pieces?count=2", stream=True, catch_response=True, name="stream") as answer:
            say(answer.stream.read().decode())
            answer.failure("no")
        say(client.post("/b", json={"a": [1, 2]}).json())
        say(client.get("/redirect?status=302&to=/end", name="r").json()["path"])
    """
    same_on_both(acrida, locust, tmp_path, echo.url, steps, base="FastHttpUser")


@pytest.mark.parametrize("how", ["client.proxies = {PROXIES}", "", "client.trust_env = True"])
def test_requests_go_through_a_proxy(
    acrida: Program, locust: Program, echo: Echo, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = f'{{"http": "{echo.url.replace("//", "//u:p%40@")}"}}'
    if "trust_env" in how:
        monkeypatch.setenv("http_proxy", echo.url)
    argument = "" if how else f", proxies={proxies}"
    steps = f"""
        {how.replace("{PROXIES}", proxies) or "pass"}
        say(client.get("http://somewhere.invalid/a?b=c", name="p"{argument}).json())
        say(client.post("http://somewhere.invalid/d", data="x", name="p"{argument}).json())
    """
    same_on_both(acrida, locust, tmp_path, "http://somewhere.invalid", steps)
    assert echo.served == ["GET /a", "POST /d"] * 2


def test_tls_goes_through_a_tunnel(acrida: Program, locust: Program, echo: Echo, tmp_path: Path) -> None:
    tunnel = Tunnel()
    place = f"127.0.0.1:{echo.port}"
    steps = f"""
        answer = client.get("https://{place}/x", proxies={{"https": "{tunnel.url}"}}, verify=False, name="t")
        say(answer.status_code, type(answer.error).__name__)
    """
    # The server behind it speaks no TLS; in which words that is told may differ.
    answers = [said(program, tmp_path, echo.url, steps)[0] for program in (acrida, locust)]
    assert answers == ['SAID [0, "SSLError"]'] * 2
    assert tunnel.asked == [f"CONNECT {place}"] * 2
    tunnel.close()


def test_a_proxy_that_is_not_there_is_told_in_locusts_words(
    acrida: Program, locust: Program, nobody: str, tmp_path: Path
) -> None:
    steps = f"""
        for url in ("http://127.0.0.1:9/x", "https://127.0.0.1:9/x"):
            answer = client.get(url, proxies={{"all": "{nobody}"}}, name=url[:5])
            say(type(answer.error).__name__, str(answer.error))
    """
    same_on_both(acrida, locust, tmp_path, nobody, steps)
