"""A headless Chromium, driven through a pipe by the DevTools protocol."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest

from foundation.clock import monotonic_s

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; Debian has a package of that name")

_FLAGS = (
    "--headless",
    "--no-sandbox",  # a test may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # so that one machine is many sites
    "--remote-debugging-pipe",
)
_PATIENCE_S = 30.0
_MIDDLE = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


class CommandFailed(Exception):
    """The browser could not do it, as when the page is just being left."""


class Browser:
    """One browser process: commands go down one pipe, replies and events come up another."""

    def __init__(self, commands: IO[bytes], messages: IO[bytes]) -> None:
        self._commands = commands
        self._messages = messages
        self._numbers = itertools.count(1)

    def call(self, method: str, session: str = "", **parameters: Any) -> Any:
        """Return the result of a command; events that come meanwhile are dropped."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        self._commands.write(json.dumps(command | ({"sessionId": session} if session else {})).encode() + b"\0")
        self._commands.flush()
        while (message := self._read()).get("id") != number:
            pass
        if "error" in message:
            raise CommandFailed(message["error"])
        return message["result"]

    def open(self, url: str, before: str = "") -> Page:
        """Return a new tab at `url`, after the script `before` ran in it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        page.call("Page.enable")
        if before:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        page.go(url)
        return page

    def _read(self) -> Any:
        message = bytearray()
        while (letter := self._messages.read(1)) != b"\0":
            assert letter, "the browser ended"
            message += letter
        return json.loads(message)


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target

    def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a command to this tab."""
        return self._browser.call(method, self._session, **parameters)

    def go(self, url: str) -> None:
        """Go to `url`, as when typed into the address bar."""
        reply = self.call("Page.navigate", url=url)
        assert "errorText" not in reply, reply

    def front(self) -> None:
        """Bring the tab to the front; the others are hidden."""
        self._browser.call("Target.activateTarget", targetId=self._target)

    def close(self) -> None:
        """Close the tab, as a person does."""
        self.call("Page.close")

    def evaluate(self, expression: str) -> Any:
        """Return the JSON value of an expression, awaited."""
        reply = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def until(self, expression: str) -> Any:
        """Return the expression's value once it is true; fail when it is not within 30 s."""
        deadline = monotonic_s() + _PATIENCE_S
        wait = "new Promise((done) => setTimeout(done, 50))"
        while monotonic_s() < deadline:
            with suppress(CommandFailed):
                if value := self.evaluate(expression):
                    return value
                self.evaluate(wait)
        raise AssertionError(f"in vain: {expression}; the page says: {self.evaluate('document.body.innerText')}")

    def click(self, selector: str) -> None:
        """Scroll to an element and click on its middle with the mouse."""
        x, y = self.evaluate(f"({_MIDDLE})({json.dumps(selector)})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@contextmanager
def start_browser(profile: Path) -> Iterator[Browser]:
    """Give a browser with the empty profile folder `profile`; it ends afterwards."""
    assert CHROMIUM
    its_commands, our_commands = _pipe()
    our_messages, its_messages = _pipe()
    command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    redirect = f'exec "$@" 3<&{its_commands} 4>&{its_messages}'  # where the protocol's pipes have to be
    process = subprocess.Popen(  # noqa: S603  commands of this file
        ["/bin/bash", "-c", redirect, "bash", *command],
        pass_fds=(its_commands, its_messages),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(its_commands)
    os.close(its_messages)
    with os.fdopen(our_commands, "wb") as commands, os.fdopen(our_messages, "rb") as messages:
        browser = Browser(commands, messages)
        try:
            yield browser
            browser.call("Browser.close")
        finally:
            process.terminate()
            process.wait(20)


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, out of the way of the numbers that the protocol wants."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
