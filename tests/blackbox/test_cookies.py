"""The jar of a session and that of an answer, on acrida and on Locust."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from standin import Standin
from support import Program

HEAD = """
import copy, http.cookiejar, time
from http.cookies import SimpleCookie
from locust import FastHttpUser, HttpUser, task

def say(*what):
    print("SAID", *what, flush=True)

def tried(function):
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

def all_of(jar):
    return sorted((c.name, c.value, c.domain, c.path, c.secure, c.discard) for c in jar)
"""

#: By what it is about: what a user does, and what it says.
SAYS = {
    "what an answer sets": (
        """
        answer = self.client.get("/health")
        jar = self.client.cookies
        for cookies in (jar, answer.cookies):
            say(all_of(cookies), isinstance(cookies, http.cookiejar.CookieJar))
        say([c.expires > time.time() + 50 for c in jar if c.expires], str(answer.cookies))
        """,
        [
            "[('a', '1', '127.0.0.1', '/', False, True), ('b', '2', '127.0.0.1', '/x', True, False)] True",
            "[('a', '1', '127.0.0.1', '/', False, True), ('b', '2', '127.0.0.1', '/x', True, False)] True",
            "[True] <RequestsCookieJar[<Cookie a=1 for 127.0.0.1/>, <Cookie b=2 for 127.0.0.1/x>]>",
        ],
    ),
    "several cookies of one name": (
        """
        jar = self.client.cookies
        say(jar.set("n", "v", domain="other.example", path="/p"), jar.set("n", "w"), len(jar))
        say(tried(lambda: jar["n"]), tried(lambda: jar.get("n")), "n" in jar)
        say(jar.get("n", domain="other.example"), jar.get("n", path="/"), jar.get("n", 5, "none"))
        say(sorted(jar.keys()), sorted(jar.values()), sorted(jar.items()), jar.get_dict(path="/"))
        say(sorted(jar.list_domains()), sorted(jar.list_paths()), jar.multiple_domains())
        jar.set("n", None, domain="other.example")
        say(jar.items(), jar.pop("n"), jar.pop("n", 5), len(jar))
        """,
        [
            "<Cookie n=v for other.example/p> <Cookie n=w for /> 2",
            "CookieConflictError: There are multiple cookies with name, 'n' "
            "CookieConflictError: There are multiple cookies with name, 'n' True",
            "v w 5",
            "['n', 'n'] ['v', 'w'] [('n', 'v'), ('n', 'w')] {'n': 'w'}",
            "['', 'other.example'] ['/', '/p'] False",
            "[('n', 'w')] w 5 0",
        ],
    ),
    "removing": (
        """
        jar = self.client.cookies
        jar.update({"a": "1", "b": "2"})
        jar.set("c", "3", domain="other.example", path="/p")
        del jar["nothing"]
        say(tried(lambda: jar.clear(name="a")), tried(lambda: jar.clear(path="/")), tried(lambda: jar.clear("none")))
        jar.clear("other.example", "/p", "c")
        say(jar.get_dict())
        jar.clear("", "/", "a")
        say(jar.get_dict())
        jar.clear_session_cookies()
        say(jar.get_dict(), jar.clear())
        """,
        [
            "ValueError: domain and path must be given to remove a cookie by name "
            "ValueError: domain must be given to remove cookies by path KeyError: 'none'",
            "{'a': '1', 'b': '2'}",
            "{'b': '2'}",
            "{} None",
        ],
    ),
    "other jars": (
        """
        from requests.cookies import create_cookie
        jar = self.client.cookies
        jar.set_cookie(create_cookie("k", "l", domain=".other.example", secure=True))
        jar.update(copy.copy(jar))
        other = jar.copy()
        other.set("more", "1")
        say(all_of(jar), jar == copy.deepcopy(jar), jar == other, dict(other))
        for end in ("Max-Age=90", "Domain=d.example; Expires=Thu, 01-Jan-2099 00:00:00 GMT"):
            jar.set("m", SimpleCookie("m=1; Path=/; " + end)["m"])
        say(tried(lambda: jar.set("m", SimpleCookie("m=1; Max-Age=old")["m"])))
        say([(c.value, c.domain, c.path, c.expires > time.time() + 50) for c in jar if c.name == "m"])
        say(tried(lambda: jar.set("x", "y", color="red")), tried(lambda: jar.update(z="1")).split(".")[-1])
        self.client.cookies = other
        say(all_of(self.client.cookies))
        """,
        [
            "[('k', 'l', '.other.example', '/', True, True)] True False {'k': 'l', 'more': '1'}",
            "TypeError: max-age: old must be integer",
            "[('1', '', '/', True), ('1', 'd.example', '/', True)]",
            "TypeError: create_cookie() got unexpected keyword arguments: ['color'] "
            "update() got an unexpected keyword argument 'z'",
            "[('k', 'l', '.other.example', '/', True, True), ('more', '1', '', '/', False, True)]",
        ],
    ),
}


def run(program: Program, standin: Standin, folder: Path, body: str, user: str) -> list[str]:
    method = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    end = "        self.environment.runner.quit()\n"
    text = f"{HEAD}\nclass TheUser({user}):\n    @task\n    def look(self):\n{method}\n{end}"
    (folder / "locustfile.py").write_text(text)
    finished = program.run("--headless", "-u", "1", "--host", standin.url, cwd=folder)
    said = finished.stdout.splitlines()
    return [line.removeprefix("SAID ") for line in said if line.startswith("SAID ")]


@pytest.fixture(autouse=True)
def _cookies_are_set(standin: Standin) -> None:
    standin.headers["Set-Cookie"] = "a=1; Path=/\r\nSet-Cookie: b=2; Path=/x; Secure; Max-Age=100"


@pytest.mark.parametrize("about", SAYS)
def test_cookies(program: Program, standin: Standin, tmp_path: Path, about: str) -> None:
    body, expected = SAYS[about]
    assert run(program, standin, tmp_path, body, "HttpUser") == expected


def test_what_is_in_the_jar_is_sent(program: Program, standin: Standin, tmp_path: Path) -> None:
    body = """
        jar = self.client.cookies
        jar.set("mine", "0")
        jar.set("gone", "0", expires=int(time.time()) - 5)
        jar.set("theirs", "0", domain="other.example")
        jar.set("lasting", "0", expires=10**30, path="/last")
        for path in ("/health", "/x", "/last"):
            self.client.get(path)
        self.client.get("/health", cookies=jar)
        jar.clear()
        self.client.get("/health")
    """
    assert run(program, standin, tmp_path, body, "HttpUser") == []
    sent = [set((header or "").split("; ")) for header in standin.cookies[:3]]
    assert sent == [{"mine=0"}, {"mine=0", "a=1"}, {"mine=0", "a=1", "lasting=0"}]
    assert standin.cookies[4] is None


def test_a_fast_users_jar(program: Program, standin: Standin, tmp_path: Path) -> None:
    body = """
        jar = self.client.cookiejar
        self.client.get("/health")
        say(sorted((c.name, c.value, c.domain, c.path) for c in jar), isinstance(jar, http.cookiejar.CookieJar))
        self.client.get("/health")
        jar.clear()
        self.client.get("/health")
    """
    said = "[('a', '1', '127.0.0.1', '/'), ('b', '2', '127.0.0.1', '/x')] True"
    assert run(program, standin, tmp_path, body, "FastHttpUser") == [said]
    assert standin.cookies == [None, "a=1", None]
