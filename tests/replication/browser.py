"""A page in a real browser: Chromium without a window, driven over a pipe, with no package."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
_KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
    "ArrowDown": 40,
}  # fmt: skip
# Seconds that anything may take on a busy machine.
_PATIENCE = 60.0


class Browser:
    """One page. failures: exceptions of its scripts, and requests of any network."""

    def __init__(self, folder: Path) -> None:
        inward, outward = os.pipe(), os.pipe()
        # Chromium reads commands from 3 and answers on 4; above 10 nothing stands in their way.
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (inward[0], outward[1]))
        options = (
            *("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
            "--allow-pre-commit-input",  # else keys that come before the first picture are lost
        )
        self._process = subprocess.Popen(
            [CHROMIUM, *options, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=lambda: (os.dup2(read, 3), os.dup2(write, 4)),
        )
        for fd in (inward[0], outward[1], read, write):
            os.close(fd)
        self._in, self._out = inward[1], outward[0]
        self._read, self._count, self._session = b"", 0, None
        self.failures: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Page", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """The answer to a command of the DevTools protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._in, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._count:
                assert "error" not in said, said
                return said["result"]
            if said.get("method") == "Runtime.exceptionThrown":
                self.failures.append(str(said["params"]["exceptionDetails"]))
            if said.get("method") == "Network.requestWillBeSent":
                url = said["params"]["request"]["url"]
                self.failures += [] if url.startswith("file:") else [url]

    def _next(self) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._out], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self._out, 1 << 16)
            assert part, "the browser has ended"
            self._read += part
        text, _, self._read = self._read.partition(b"\0")
        return json.loads(text)

    def open(self, address: str) -> None:
        """Open an address anew, until its page has drawn itself."""
        self.ask("Page.navigate", url="about:blank")
        self.ask("Page.navigate", url=address)
        self.until("document.querySelector('h1') !== null")
        self.run("requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = 1; }))")
        self.until("window.drawn")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + _PATIENCE
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"{condition} is still false: {self.text()[:500]}"
            time.sleep(0.02)

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.run("document.body.innerText"))

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            stroke: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
            down = stroke | ({"text": "\r"} if key == "Enter" else {})
            self.ask("Input.dispatchKeyEvent", type="keyDown", **down)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **stroke)

    def wide(self, width: int, height: int = 800) -> None:
        """Look at the page through a window of this size."""
        size = {"width": width, "height": height}
        self.ask(
            "Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=width < 500
        )

    def close(self) -> None:
        """Ask it to end, so that it ends its own processes first."""
        os.write(self._in, b'{"id": 0, "method": "Browser.close"}\0')
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
