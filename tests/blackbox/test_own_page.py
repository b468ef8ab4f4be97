"""The web page of a program that uses Locust as a library, on acrida and on Locust."""

from __future__ import annotations

from pathlib import Path

from programs import said
from support import Program, Target

PAGE = """
    import json
    import urllib.request
    from urllib.parse import urlencode

    env = Environment(user_classes=[TheUser], events=events)
    runner = env.create_local_runner()
    web_ui = env.create_web_ui("127.0.0.1", 0)
    say(web_ui is env.web_ui)

    @web_ui.app.route("/own")
    def own():
        return f"users: {runner.user_count}"

    heard = []
    for name in ("test_start", "spawning_complete", "test_stop"):
        getattr(events, name).add_listener(lambda name=name, **kwargs: heard.append((name, sorted(kwargs))))
    gevent.sleep(0.1)

    def ask(path, **form):
        data = urlencode(form).encode() if form else None
        with urllib.request.urlopen(f"http://127.0.0.1:{web_ui.server.server_port}{path}", data, 20) as answer:
            return answer.read().decode()

    def until(condition):
        with gevent.Timeout(30):
            while not condition():
                gevent.sleep(0.02)

    say("<html" in ask("/"), ask("/own"))
    for users in (3, 2):
        reply = json.loads(ask("/swarm", user_count=users, spawn_rate=100, host=sys.argv[1]))
        say(reply["success"], reply["message"])
        until(lambda: runner.user_count == users)
        until(lambda: env.stats.total.num_requests > 20)
        say(runner.state, runner.target_user_count, env.host == sys.argv[1], ask("/own"))
        [row, total] = json.loads(ask("/stats/requests"))["stats"]
        say(row["name"], row["num_requests"] > 0, row["num_failures"], total["name"])
        say(json.loads(ask("/stop", now="yes"))["success"])
        until(lambda: runner.state == "stopped")
        say(runner.user_count, heard)
    runner.start(1, spawn_rate=1)
    say(ask("/own"))
    runner.quit()
    port = web_ui.server.server_port
    web_ui.stop()
    try:
        ask("/")
    except OSError as error:
        say("over", type(error).__name__)
"""


def test_a_program_of_ones_own_shows_the_page(acrida: Program, locust: Program, target: Target, tmp_path: Path) -> None:
    expected = said(locust, tmp_path, target.url, PAGE)
    assert len(expected) == 14
    assert said(acrida, tmp_path, target.url, PAGE) == expected


def test_a_page_whose_port_is_taken_says_so_at_once(acrida: Program, tmp_path: Path) -> None:
    text = """
        import socket
        with socket.create_server(("127.0.0.1", 0)) as taken:
            env = Environment(user_classes=[TheUser])
            env.create_local_runner()
            port = taken.getsockname()[1]
            try:
                env.create_web_ui("127.0.0.1", port)
            except OSError as error:
                say(f"cannot listen on 127.0.0.1:{port}" in str(error))
    """
    assert said(acrida, tmp_path, "-", text) == ["SAID True"]


def test_a_login_that_nobody_could_pass_is_not_served(acrida: Program, tmp_path: Path) -> None:
    text = """
        import logging
        logging.basicConfig(stream=sys.stdout, format="SAID %(message)s")
        env = Environment(user_classes=[TheUser])
        env.create_local_runner()
        env.create_web_ui("127.0.0.1", 0, web_login=True)
        gevent.sleep(0.1)
    """
    [line] = said(acrida, tmp_path, "-", text)
    assert "set the environment variable ACRIDA_WEB_PASSWORD" in line
