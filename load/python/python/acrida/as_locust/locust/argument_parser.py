"""Flags that locustfiles add; the flags themselves are read by the native side."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentError, Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: What a flag takes, by argparse's ``action``.
ACTIONS = {None: "text", "store": "text", "store_true": "switch", "store_false": "switch-off", "append": "append"}
#: The native side reads values of these types; any other callable is applied to the text.
TYPES: dict[Any, str] = {None: "text", str: "text", int: "int", float: "float"}


@dataclass
class Flag:
    """One flag of a locustfile."""

    long: str
    short: str | None
    dest: str
    env: str | None
    kind: str
    choices: list[str]
    default: Any
    help: str
    #: Applied to each text that was given.
    convert: Callable[[str], Any] | None = None
    required: bool = False
    secret: bool = False
    in_web_ui: bool = True

    def native(self) -> tuple[Any, ...]:
        """What the native side has to know."""
        known = isinstance(self.default, bool | int | float | str | list) or self.default is None
        return (
            self.long,
            self.short,
            self.dest,
            self.env,
            self.kind,
            self.choices,
            self.default if known else None,
            self.help,
        )

    def finish(self, value: Any) -> Any:
        """The value that a locustfile sees, from what the native side read."""
        if value is None:
            return self.default
        if self.convert is None or value == self.default:
            return value
        return [self.convert(part) for part in value] if isinstance(value, list) else self.convert(value)


@dataclass
class LocustArgumentParser:
    """Handed to ``init_command_line_parser`` listeners: collects what they add."""

    flags: list[Flag] = field(default_factory=list)

    def add_argument(
        self,
        *names: str,
        action: Any = None,
        nargs: Any = None,
        default: Any = None,
        type: Any = None,
        choices: Any = None,
        required: bool = False,
        help: str | None = None,
        dest: str | None = None,
        env_var: str | None = None,
        include_in_web_ui: bool = True,
        is_secret: bool = False,
        is_required: bool = False,
        is_multiple: bool = False,
        **_: Any,
    ) -> Flag:
        """Adds a flag, with argparse's arguments, ``env_var`` and what concerns the web page."""
        long = next((name for name in names if name.startswith("--")), None)
        if long is None:
            raise ValueError(f"{', '.join(names)}: only flags with a long form (--name) can be added")
        short = next((name[1] for name in names if not name.startswith("--") and len(name) == 2), None)
        if action not in ACTIONS:
            raise ValueError(f"{long}: action={action!r} is not supported")
        kind = ACTIONS[action]
        if kind == "text":
            kind = "words" if nargs in ("*", "+") or is_multiple else TYPES.get(type, "text")
        flag = Flag(
            long=long[2:],
            short=short,
            dest=dest or long[2:].replace("-", "_"),
            env=env_var,
            kind=kind,
            choices=[str(choice) for choice in choices or ()] if kind == "text" else [],
            default=(action == "store_false") if default is None and "switch" in kind else default,
            help="" if help in (None, SUPPRESS) else str(help),
            convert=None if type in TYPES and kind != "words" else type,
            required=required or is_required,
            secret=is_secret,
            in_web_ui=include_in_web_ui,
        )
        self.flags.append(flag)
        return flag

    def add_argument_group(self, *_: Any, **__: Any) -> LocustArgumentParser:
        """Groups matter only to help texts: the flags are added here."""
        return self

    add_mutually_exclusive_group = add_argument_group

    def finish(self, options: Namespace) -> None:
        """Applies the flags' types to ``options``; ValueError says which value is wrong."""
        for flag in self.flags:
            value = getattr(options, flag.dest, None)
            if flag.required and value is None:
                raise ValueError(f"the following arguments are required: --{flag.long}")
            try:
                setattr(options, flag.dest, flag.finish(value))
            except (ArgumentError, TypeError, ValueError) as error:
                raise ValueError(f"argument --{flag.long}: invalid value {value!r}: {error}") from error
