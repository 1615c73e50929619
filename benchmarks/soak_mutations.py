"""What do broken picture files do to us? Target: no crash, no hang > 1 s an image, RSS <= 512 MB.

Each file is unpacked in a child process, so that a crash, a hang or a swollen process is seen and
counted. Seed and number make a file again: `python -m benchmarks.soak_mutations --only 17`.
"""

import argparse
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.machine import say
from benchmarks.mutations import mutated
from vultus.errors import BadImage
from vultus.faces.header import read_header
from vultus.faces.picture import decode_image

SLOW_S = 1.0
_HANG_S = 30.0
"""Wall time without an answer; on a busy machine a slow image is no hang yet."""
RSS_MB = 512


@dataclass
class Account:
    """Where every file went; each number may be made again."""

    unpacked: int = 0
    refused: int = 0
    crashed: list[int] = field(default_factory=list)
    hung: list[int] = field(default_factory=list)
    slow: list[int] = field(default_factory=list)
    other_errors: dict[int, str] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    slowest_cpu_s: float = 0.0
    peak_rss_mb: float = 0.0

    @property
    def total(self) -> int:
        """Files that are accounted for."""
        return (
            self.unpacked
            + self.refused
            + sum(len(held) for held in (self.crashed, self.hung, self.other_errors))
        )


def main() -> None:
    """Mutate, unpack, count; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", type=int, help="one number, in this process")
    given = options.parse_args()
    if given.only is not None:
        say({"answer": _answer(given.seed, given.only)})
        return
    account = soak(given.images, given.seed)
    say(
        {
            "images": given.images,
            "seed": given.seed,
            "accounted_for": account.total,
            **vars(account),
        }
    )


def soak(images: int, seed: int) -> Account:
    """Unpack `images` broken files, in a child that is started again after a crash or a hang."""
    account = Account()
    number = 0
    context = multiprocessing.get_context("spawn")
    while number < images:
        ours, theirs = context.Pipe()
        child = context.Process(target=_work, args=(theirs, seed, number, images))
        child.start()
        theirs.close()
        number = _listen(ours, account, number, images)
        if child.is_alive() and number < images:
            child.kill()
        child.join()
    return account


def _listen(answers: Connection, account: Account, number: int, images: int) -> int:
    """Take answers until the child is done, dies or falls silent; returns the next number."""
    answers.poll(120)  # the child starts: imports
    while number < images:
        try:
            if not answers.poll(_HANG_S):
                account.hung.append(number)
                return number + 1
            kind, reason, cpu_s, rss_mb = answers.recv()
        except EOFError:
            account.crashed.append(number)
            return number + 1
        account.kinds[kind] += 1
        account.unpacked += reason == ""
        account.slowest_cpu_s = max(account.slowest_cpu_s, cpu_s)
        account.peak_rss_mb = max(account.peak_rss_mb, rss_mb)
        if cpu_s > SLOW_S:
            account.slow.append(number)
        if reason.startswith("!"):
            account.other_errors[number] = reason
        elif reason:
            account.refused += 1
            account.reasons[reason] += 1
        number += 1
    return number


def _work(answers: Connection, seed: int, first: int, images: int) -> None:
    answers.send(_answer(seed, first))
    for number in range(first + 1, images):
        answers.send(_answer(seed, number))


def _answer(seed: int, number: int) -> tuple[str, str, float, float]:
    """Kind of mutation, reason of the refusal ("" = unpacked), CPU seconds, peak RSS of the process."""
    kind, data = mutated(seed, number)
    reason = ""
    began = time.process_time()
    try:
        read_header(data)
        decode_image(data)
    except BadImage as error:
        reason = " ".join(word for word in str(error).split() if not any(map(str.isdigit, word)))
    except Exception as error:  # whatever else comes out is what this soak is for
        reason = f"!{type(error).__name__}: {error}"
    cpu_s = time.process_time() - began
    return kind, reason[:80], cpu_s, _peak_rss_mb()


def _peak_rss_mb() -> float:
    """Of this process alone (getrusage would count what it was started from)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return round(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024, 1)


if __name__ == "__main__":
    main()
