"""``rest`` and ``rest_``: JSON requests that say what is wrong with their answers."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any, Generic, TypeVar

#: Characters of an answer that a failure shows.
SHOWN = 200


#: What the client answers.
Answer = TypeVar("Answer")


class RestMixin(Generic[Answer]):
    """For users whose ``client`` speaks HTTP."""

    client: Any

    @contextmanager
    def rest(
        self, method: str, url: str, headers: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Generator[Answer, None, None]:
        """Sends a request whose answer should be JSON, found in ``response.js``.

        An answer that is not, and whatever the block raises, mark the request as failed.
        """
        headers = dict(headers) if headers else {}
        given = {name.lower() for name in headers}
        for name in ("Content-Type", "Accept"):
            if name.lower() not in given:
                headers[name] = "application/json"
        with self.client.request(method, url, catch_response=True, headers=headers, **kwargs) as response:
            response.js = None
            if response.content is None:
                response.failure(str(response.error))
            elif response.text:
                try:
                    response.js = response.json()
                except JSONDecodeError as error:
                    response.failure(
                        f"Could not parse response as JSON. {response.text[:250]}, "
                        f"response code {response.status_code}, error {error}"
                    )
            try:
                yield response
            except AssertionError as error:
                response.failure(_assertion(error, response))
            except Exception as error:
                response.failure(
                    f"{type(error).__name__}: {error} at {', '.join(_places())}. Response was {_shown(response)}"
                )

    @contextmanager
    def rest_(self, method: str, url: str, name: str | None = None, **kwargs: Any) -> Generator[Answer, None, None]:
        """As ``rest``, with the time as a parameter ``_`` that keeps caches from answering."""
        separator = "&" if "?" in url else "?"
        name = f"{url}{separator}_=..." if name is None else name
        with self.rest(method, f"{url}{separator}_={int(time.time() * 1000)}", name=name, **kwargs) as response:
            yield response


def _assertion(error: AssertionError, response: Any) -> str:
    """The assertion's text; one that ends with a comma wants to see the answer."""
    if not error.args:
        return "Assertion failed"
    text = error.args[0]
    return f"{text[:-1]}, response was {_shown(response)}" if text.endswith(",") else text


def _shown(response: Any) -> Any:
    return response.text[:SHOWN] if response.text else response.text


def _places() -> list[str]:
    """Where the exception being handled came from, home folders left out."""
    lines = re.findall(r'  File "(/.[^"]*)", line (\d*),(.*)', traceback.format_exc())
    return [f"{re.sub('/((home|Users)/[^/]*)/', '~/', path)}:{line}{rest}" for path, line, rest in lines]
