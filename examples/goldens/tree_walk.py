"""Trees walked in order by recursive generators, and how often a body of theirs was run."""

import sys
import threading

runs = 0


def balanced(first, last):
    """The numbers from `first` up to `last`, exclusively."""
    if first == last:
        return None
    middle = (first + last) // 2
    return balanced(first, middle), middle, balanced(middle + 1, last)


def vine(values, left):
    tree = None
    for value in values:
        tree = (tree, value, None) if left else (None, value, tree)
    return tree


def walk(tree):
    global runs
    left, value, right = tree
    runs += 1
    if left:
        yield from walk(left)
        runs += 1
    yield value
    runs += 1
    if right:
        yield from walk(right)
        runs += 1


def delegates(generator):
    count = 0
    while generator := generator.gi_yieldfrom:
        count += 1
    return count


def measure(name, tree):
    global runs
    runs = 0
    walked, items, depths = walk(tree), [], []
    for item in walked:
        items.append(item)
        if len(items) in (1, 5000, 10000):
            depths.append(delegates(walked))
    assert items == list(range(10000))
    first, middle, last = depths
    print(f"{name}: {len(items)} items in order, {runs} runs of a body")
    print(f"  delegations at the first, the middle and the last item: {first}, {middle}, {last}")


def main():
    measure("balanced", balanced(0, 10000))
    measure("vine to the left", vine(range(10000), left=True))
    measure("vine to the right", vine(reversed(range(10000)), left=False))


sys.setrecursionlimit(100_000)
threading.stack_size(1 << 29)
thread = threading.Thread(target=main)
thread.start()
thread.join()
