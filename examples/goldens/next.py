"""Calling a generator function runs nothing; next() runs it to the next yield."""


def gen():
    yield 1
    yield 2


g = gen()
print(g)
print(next(g))
print(next(g))
try:
    next(g)
except StopIteration:
    print("finished")
