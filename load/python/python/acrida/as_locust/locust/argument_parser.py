"""Flags that locustfiles add, and command lines for programs of one's own.

The flags are read by the native side, as those of the command ``acrida`` are.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentError, Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from acrida import _native
from acrida.loading import LocustfileError, fetched

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
    #: Applied to a default that is a text, as argparse does.
    type: Callable[[str], Any] | None = None
    #: Applied to each text that was given.
    convert: Callable[[str], Any] | None = None
    required: bool = False
    #: Whether the web page's form wants a value.
    required_in_page: bool = False
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
        if value is None or value == self.default:
            return self.type(self.default) if self.type and isinstance(self.default, str) else self.default
        if self.convert is None:
            return value
        return [self.convert(part) for part in value] if isinstance(value, list) else self.convert(value)


@dataclass
class LocustArgumentParser:
    """Handed to ``init_command_line_parser`` listeners: collects what they add."""

    flags: list[Flag] = field(default_factory=list)
    #: Files to read settings from, the strongest first; None for those that the command finds.
    config_files: list[str] | None = None
    #: What ``set_defaults`` was given, by attribute.
    defaults: dict[str, Any] = field(default_factory=dict)
    #: argparse's list of groups, which packages search for Locust's own; there are none, see add_argument_group.
    _action_groups = ()

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
            type=type,
            convert=None if type in TYPES and kind != "words" else type,
            required=required,
            required_in_page=required or is_required,
            secret=is_secret,
            in_web_ui=include_in_web_ui,
        )
        flag.default = self.defaults.get(flag.dest, flag.default)
        self.flags.append(flag)
        return flag

    def add_argument_group(self, *_: Any, **__: Any) -> LocustArgumentParser:
        """Groups matter only to help texts: the flags are added here."""
        return self

    add_mutually_exclusive_group = add_argument_group

    def set_defaults(self, **defaults: Any) -> None:
        """Values, by attribute, that hold where nobody else sets them: of Locust's flags, of the locustfile's, and
        of attributes that no flag sets."""
        self.defaults.update(defaults)
        for flag in self.flags:
            flag.default = defaults.get(flag.dest, flag.default)

    def get_default(self, dest: str) -> Any:
        """What holds for an attribute where nobody sets it; None where that is not known here."""
        return next((flag.default for flag in self.flags if flag.dest == dest), self.defaults.get(dest))

    def native_defaults(self) -> dict[str, Any]:
        """The defaults of other flags than the locustfile's, as the native side reads values: texts and lists of texts."""
        own = {flag.dest for flag in self.flags}
        return {
            dest: [str(part) for part in value] if isinstance(value, list | tuple) else str(value)
            for dest, value in self.defaults.items()
            if dest not in own and value is not None
        }

    def parse_args(self, args: list[str] | None = None, namespace: Namespace | None = None) -> Namespace:
        """Every setting of a command line (of this program's without ``args``), of the
        environment and of the configuration files. Prints what is wrong and ends the
        program, as argparse does."""
        program = sys.argv[0].rpartition("/")[2] or "acrida"
        given = sys.argv[1:] if args is None else list(args)
        flags = [flag.native() for flag in self.flags]
        options = namespace or Namespace()
        vars(options).update(_native.parse_options(program, given, flags, self.config_files, self.native_defaults()))
        try:
            self.finish(options)
        except ValueError as error:
            self.error(str(error))
        return options

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong, and ends the program with code 2."""
        print(f"error: {message}", file=sys.stderr)
        sys.exit(2)

    def finish(self, options: Namespace) -> None:
        """Applies the flags' types to ``options``, and adds attributes that no flag sets; ValueError
        says which value is wrong."""
        for dest, value in self.defaults.items():
            if not hasattr(options, dest):
                setattr(options, dest, value)
        for flag in self.flags:
            value = getattr(options, flag.dest, None)
            if flag.required and value is None:
                raise ValueError(f"the following arguments are required: --{flag.long}")
            try:
                setattr(options, flag.dest, flag.finish(value))
            except (ArgumentError, TypeError, ValueError) as error:
                wrong = flag.default if value is None else value
                raise ValueError(f"argument --{flag.long}: invalid value {wrong!r}: {error}") from error


class UIExtraArgOptions(NamedTuple):
    """What the web page's form knows of a flag."""

    default_value: Any
    is_secret: bool
    is_required: bool
    help_text: str
    is_multiple: bool
    choices: list[str] | None = None


def get_parser(default_config_files: list[str] | None = None) -> LocustArgumentParser:
    """A parser for Locust's flags and those that ``init_command_line_parser`` listeners add."""
    import locust

    parser = LocustArgumentParser(config_files=default_config_files)
    locust.events.init_command_line_parser.fire(parser=parser)
    return parser


def get_empty_argument_parser(
    add_help: bool = True, default_config_files: list[str] | None = None
) -> LocustArgumentParser:
    """A parser for Locust's flags, without those of listeners; ``--help`` is always among them."""
    return LocustArgumentParser(config_files=default_config_files)


def setup_parser_arguments(parser: LocustArgumentParser) -> None:
    """Does nothing: every parser knows Locust's flags."""


def default_args_dict() -> dict[str, Any]:
    """What every flag has where no command line and no file says otherwise."""
    return vars(LocustArgumentParser(config_files=[]).parse_args([]))


def parse_options(args: list[str] | None = None) -> Namespace:
    """``get_parser().parse_args(args)``."""
    return get_parser().parse_args(args)


def ui_extra_args_dict(args: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The flags of a locustfile that the web page's form asks for, with their values in ``args``."""
    parser = get_parser()
    given = sys.argv[1:] if args is None else list(args)
    values = _native.parse_options("acrida", given, [flag.native() for flag in parser.flags], None, parser.native_defaults())
    return {
        flag.dest: UIExtraArgOptions(
            values[flag.dest], flag.secret, flag.required_in_page, flag.help, flag.kind == "words", flag.choices or None
        )._asdict()
        for flag in parser.flags
        if flag.in_web_ui
    }


def parse_locustfile_option(args: list[str] | None = None) -> Namespace:
    """``--locustfile`` and the other settings of a command line, whatever else is in it."""
    return LocustArgumentParser().parse_args(args)


def parse_locustfile_paths(paths: list[str]) -> list[str]:
    """The locustfiles in files and folders, and copies of those at URLs; says what is not there and ends the program."""
    try:
        return [fetched(path) for path in _native.find_locustfiles(",".join(paths))]
    except LocustfileError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def get_locustfiles_locally(options: Namespace) -> list[str]:
    """The locustfiles that ``options.locustfile`` names."""
    return parse_locustfile_paths(options.locustfile.split(","))
