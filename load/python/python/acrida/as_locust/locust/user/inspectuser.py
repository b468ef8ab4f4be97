"""How often users do what; see ``--show-task-ratio``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .task import TaskSet

Ratios = dict[str, dict[str, Any]]


def get_ratio(user_classes: list[Any], user_spawned: dict[str, int], total: bool) -> Ratios:
    """For each class, and each task in it, ``ratio`` (0.0 to 1.0) and ``tasks``: of its parent or, with
    ``total``, of everything."""
    count = sum(user_spawned.values()) or 1
    shares = ((user, user_spawned.get(user.__name__, 0) / count) for user in user_classes)
    return {
        user.__name__: {"ratio": share, "tasks": _get_task_ratio(user.tasks, total, share)} for user, share in shares
    }


def _get_task_ratio(tasks: list[Any], total: bool, parent_ratio: float) -> Ratios:
    ratios: Ratios = {}
    for task, count in Counter(tasks).items():
        share = count / len(tasks) * (parent_ratio if total else 1.0)
        ratios[task.__name__] = {"ratio": share}
        if isinstance(task, type) and issubclass(task, TaskSet):
            ratios[task.__name__]["tasks"] = _get_task_ratio(task.tasks, total, share)
    return ratios


def _calc_distribution(user_classes: list[Any], num_users: int | None) -> dict[str, int]:
    """How many of ``num_users`` users each class has."""
    fixed = sum(user.fixed_count for user in user_classes)
    weights = sum(user.weight for user in user_classes if not user.fixed_count)
    users = num_users or (1 if fixed else weights)
    weighted = max(0, users - fixed)
    return {
        user.__name__: round(user.fixed_count or user.weight / weights * weighted) for user in user_classes
    }


def _lines(ratios: Ratios, level: int = 0) -> Iterator[str]:
    for name, entry in ratios.items():
        indent = "  " * level
        yield f" {indent + format(entry['ratio'] * 100, '<6.1f'):<10} {indent + name:<50}"
        yield from _lines(entry.get("tasks", {}), level + 1)


def print_task_ratio(user_classes: list[Any], num_users: int | None, total: bool) -> None:
    """Prints ``get_ratio`` as a tree, in percent."""
    for line in _lines(get_ratio(user_classes, _calc_distribution(user_classes, num_users), total)):
        print(line)


def print_task_ratio_json(user_classes: list[Any], num_users: int | None) -> None:
    """Prints ``get_ratio`` of both kinds as JSON."""
    users = _calc_distribution(user_classes, num_users)
    kinds = {"per_class": False, "total": True}
    print(json.dumps({kind: get_ratio(user_classes, users, total) for kind, total in kinds.items()}, indent=4))
