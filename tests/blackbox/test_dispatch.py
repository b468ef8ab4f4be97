"""Who starts where and when, as programs ask for it."""

from __future__ import annotations

from pathlib import Path

from programs import said
from support import Program, locustfile

#: A dispatcher that goes up and down while workers come and go.
COURSE = """
    from locust.dispatch import UsersDispatcher
    from locust.runners import WorkerNode

    class Base(User):
        abstract = True
        @task
        def nothing(self): pass

    class A(Base): weight = 2
    class B(Base): weight = 5
    class C(Base): fixed_count = 3
    class D(Base): weight = 0.5

    def follow(target, rate, classes=None, change=None):
        dispatcher.new_dispatch(target_user_count=target, spawn_rate=rate, user_classes=classes)
        for number, users in enumerate(dispatcher):
            say(target, sorted(users.items()), dispatcher.get_current_user_count(), dispatcher.dispatch_in_progress)
            if number == 1 and change:
                change[0](change[1])

    workers = [WorkerNode(name) for name in ("one_b", "two_a", "one_a", "one_c")]
    dispatcher = UsersDispatcher(worker_nodes=workers[:3], user_classes=[D, A, C, B])
    follow(7, 50)
    follow(7, 50)
    follow(60, 20, change=(dispatcher.add_worker, workers[3]))
    follow(20, 10.5, change=(dispatcher.remove_worker, workers[0]))
    follow(30, 100, [A, D])
    dispatcher.remove_worker(workers[1])
    follow(0, 100)
    follow(5, 100)
    say(len(dispatcher.dispatch_iteration_durations))
    for target, rate in (-1, 1), (1, 0), (1, float("inf")):
        try:
            dispatcher.new_dispatch(target, rate)
        except ValueError:
            say("refused", target, rate)
"""


def test_a_dispatcher_spreads_users_as_locusts(acrida: Program, locust: Program, tmp_path: Path) -> None:
    expected = said(locust, tmp_path, "-", COURSE)
    assert len(expected) > 15
    assert said(acrida, tmp_path, "-", COURSE) == expected


#: A dispatcher whose clock stands still, and that writes its waits down in place of waiting.
WAITS = """
    import time
    from locust.dispatch import UsersDispatcher
    from locust.runners import WorkerNode

    waits = []
    gevent.sleep, time.perf_counter = waits.append, lambda: 0.0
    dispatcher = UsersDispatcher([WorkerNode("one")], [TheUser])
    for target, rate in (3, 10), (0, 2.5), (2, 4):
        dispatcher.new_dispatch(target, rate)
        steps = len(list(dispatcher))
        say(target, steps, waits)
        waits.clear()
"""


def test_a_dispatcher_waits_between_batches(acrida: Program, locust: Program, tmp_path: Path) -> None:
    # Two users at 2.5 a second are followed by 0.8 s, the last batch by nothing.
    expected = ["SAID 3 1 []", "SAID 0 2 [0.8]", "SAID 2 1 []"]
    assert said(locust, tmp_path, "-", WAITS) == expected
    assert said(acrida, tmp_path, "-", WAITS) == expected


def test_a_dispatcher_of_ones_own_is_refused_by_name(acrida: Program, tmp_path: Path) -> None:
    text = """
        from locust.dispatch import UsersDispatcher
        class Mine(UsersDispatcher):
            pass
        env = Environment(user_classes=[TheUser])
        say(env.dispatcher_class is UsersDispatcher, Environment(dispatcher_class=UsersDispatcher).dispatcher_class.__name__)
        try:
            Environment(user_classes=[TheUser], dispatcher_class=Mine)
        except NotImplementedError as error:
            say(error)
    """
    [default, refusal] = said(acrida, tmp_path, "-", text)
    assert default == "SAID True UsersDispatcher"
    assert refusal.startswith("SAID dispatcher_class=Mine: acrida decides natively")

    file = locustfile(tmp_path, "pass")
    with (tmp_path / file).open("a") as source:
        source.write(
            "from locust import events\nfrom locust.dispatch import UsersDispatcher\n"
            "class Mine(UsersDispatcher): pass\n"
            "@events.init.add_listener\ndef choose(environment, **_): environment.dispatcher_class = Mine\n"
        )
    finished = acrida.run("-f", file, "--headless", "--host=http://127.0.0.1:9", "-t", "1s", cwd=tmp_path)
    assert finished.code == 1
    assert "dispatcher_class=Mine: acrida decides natively" in finished.output
