"""Answers "depth sends" with the nanoseconds that so many sends through a chain of `yield from` take."""
import functools
import sys
import time

sys.setrecursionlimit(100_000)


def chain(depth):
    if depth > 0:
        return (yield from chain(depth - 1))
    total = 0
    while True:
        total += yield total


@functools.cache
def started(depth):
    generator = chain(depth)
    next(generator)
    return generator.send


for line in sys.stdin:
    depth, sends = map(int, line.split())
    send = started(depth)
    begin = time.perf_counter_ns()
    for _ in range(sends):
        send(1)
    print(time.perf_counter_ns() - begin, flush=True)
