"""Certificates re-proved in processes of their own, so that none of them costs another.

FLINT ends its process where memory is lacking. A worker proves certificate after certificate under
a limit of memory; if it ends, the certificate in work is refused and another goes on behind it.
"""

import multiprocessing
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from zerogap.checker.check import Verdict, verify
from zerogap.checker.files import Unreadable, lines_of, parsed, printable
from zerogap.checker.limits import MAX_LABEL, MAX_PROCESS

Row = dict[str, Any]
_ENDED = "its process ended, for lack of memory or by a fault"


def verify_file(file: Path, tolerance: float, after: int = 0) -> Iterator[int | Row]:
    """The verdicts of one file, certificate by certificate, with line, id and relative gap.

    Before each the number of its line, and nothing of the lines up to `after`. Raises Unreadable.
    """
    for number, line in lines_of(file):
        if number > after:
            yield number
            try:
                certificate = parsed(line, f"{file}, line {number}")
            except MemoryError:
                yield _row(number, "", Verdict(False, "there is not enough memory to read it"))
                continue
            name = certificate.get("id") if isinstance(certificate, dict) else None
            label = "/".join(map(str, name.values())) if isinstance(name, dict) else ""
            yield _row(number, label, verify(certificate, tolerance=tolerance))


def _row(line: int, label: str, verdict: Verdict) -> Row:
    gap = (verdict.primal - verdict.dual) / (verdict.primal or 1.0)
    return {
        "line": line,
        "id": printable(label[:MAX_LABEL]),
        **asdict(verdict),
        "reason": printable(verdict.reason),
        "relative_gap": gap,
    }


def verify_files(
    files: list[Path], tolerance: float, cores: int, memory: int = MAX_PROCESS
) -> Iterator[tuple[Path, list[Row], str]]:
    """Every file with its verdicts and what could not be read of it, in order.

    `cores` files at a time, one process each, with so many bytes beyond what it starts with.
    """
    workers = [_Worker(memory) for _ in files[:cores]]
    free: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def prove(file: Path) -> tuple[Path, list[Row], str]:
        worker = free.get()
        try:
            return file, *worker.prove(file, tolerance)
        finally:
            free.put(worker)

    pool = ThreadPoolExecutor(max(1, len(workers)))
    try:
        yield from pool.map(prove, files)
    finally:
        for worker in workers:
            worker.stop()
        pool.shutdown(cancel_futures=True)


class _Worker:
    """A process that proves files, and its successors."""

    def __init__(self, memory: int) -> None:
        self._memory, self._stopped = memory, False
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_work, args=(end, self._memory), daemon=True)
        self._process.start()
        end.close()

    def stop(self) -> None:
        self._stopped = True
        self._process.terminate()

    def prove(self, file: Path, tolerance: float) -> tuple[list[Row], str]:
        """The verdicts of a file, and what could not be read of it, if anything."""
        rows: list[Row] = []
        line = 0
        while not self._stopped:
            begun = False
            try:
                self._pipe.send((file, tolerance, line))
                while not isinstance(answer := self._pipe.recv(), str):
                    if isinstance(answer, dict):
                        rows.append(answer)
                    else:
                        line, begun = answer, True
                return rows, answer
            except (EOFError, OSError):  # the process has ended
                self._process.join()
                if self._stopped:
                    break
                self._start()
                if not begun:  # where it would end again
                    return rows, f"cannot read {printable(str(file))}: {_ENDED}"
                if not rows or rows[-1]["line"] < line:
                    rows.append(_row(line, "", Verdict(False, _ENDED)))
        return rows, "interrupted"


def _work(pipe: Connection, memory: int) -> None:
    """The worker's side: answers a file with lines' numbers and rows, and a string at the end."""
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            file, tolerance, after = pipe.recv()
            try:
                for answer in verify_file(file, tolerance, after):
                    pipe.send(answer)
                pipe.send("")
            except Unreadable as error:
                pipe.send(str(error))
            except MemoryError:
                pipe.send(f"cannot read {file}: not enough memory")
