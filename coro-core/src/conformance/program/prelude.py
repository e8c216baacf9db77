import inspect
import os
import sys


class A(Exception):
    pass


class B(Exception):
    pass


class Finished(Exception):
    """Ours: a generator that has finished is delegated to."""


MISUSE = (RuntimeError, ValueError, TypeError, AttributeError, Finished)
STATES = {
    "GEN_CREATED": "Created",
    "GEN_RUNNING": "Running",
    "GEN_SUSPENDED": "Suspended",
    "GEN_CLOSED": "Finished",
}
KEPT = []
# What is behind a handle.
HANDLES = []
# What was ended by an operation, not through a delegation.
ENDED = set()


def make(body, shared, nearest):
    me = [] if shared else nearest
    generator = body(me)
    if shared:
        me.append(generator)
        HANDLES.append(generator)
    # Python closes what it drops.
    KEPT.append(generator)
    return generator


def end():
    sys.stdout.flush()
    os._exit(0)


def state(generator):
    return STATES[inspect.getgeneratorstate(generator)]


def started(sub, first):
    """`yield from` a generator that goes on with a value: the rest is as in PEP 380."""
    try:
        value = sub.send(first)
        while True:
            try:
                sent = yield value
            except GeneratorExit:
                sub.close()
                raise
            except BaseException as error:
                value = sub.throw(error)
            else:
                value = sub.send(sent)
    except StopIteration as stop:
        return stop.value


def sub_of(generator, first):
    """What `yield from` gets, to delegate to this."""
    if state(generator) == "Finished":
        raise Finished
    if first is not None and state(generator) == "Suspended":
        return started(generator, first)
    return generator


def sub_by_hand(generator, first):
    """The same, without `yield from` of the generator itself."""
    if state(generator) == "Finished":
        raise Finished
    return started(generator, first if state(generator) == "Suspended" else None)


def given(generator, value):
    """What `yield from` gave."""
    if id(generator) in ENDED:
        raise Finished
    return value


def show(error):
    for kind, message, ours in (
        (A, "", "A"),
        (B, "", "B"),
        (GeneratorExit, "", "Exit"),
        (Finished, "", "Finished"),
        (RuntimeError, "generator ignored GeneratorExit", "IgnoredExit"),
        (ValueError, "generator already executing", "Running"),
        (AttributeError, "'range_iterator' object has no attribute 'send'", "CannotReceive"),
    ):
        if type(error) is kind and str(error) == message:
            return ours
    return repr(error)


def raw(generator, op, argument):
    if op in ("throw", "close") and generator.gi_running and generator.gi_yieldfrom is not None:
        # It runs because something was thrown through it: CPython throws once more, and may crash.
        raise ValueError("generator already executing")
    if op == "next":
        return next(generator)
    if op == "send":
        return generator.send(argument)
    if op == "throw":
        return generator.throw(argument())
    return generator.close()


def answer(generator, op, argument):
    """What it gives, and the misuse if it is refused."""
    given, refused = attempt(generator, op, argument)
    if state(generator) == "Finished":
        ENDED.add(id(generator))
    return given, refused


def attempt(generator, op, argument):
    before = state(generator)
    if before == "Created" and op == "send":
        if argument is not None:
            try:
                raw(generator, op, argument)
            except TypeError:
                pass
            else:
                return "accepted", None
        return f"refused NotStarted, back: {argument}", TypeError()
    try:
        value = raw(generator, op, argument)
    except StopIteration as stop:
        if before == "Finished":
            return f"refused Finished, back: {argument}", Finished()
        return f"returned {stop.value}", None
    except BaseException as error:
        if before == "Running":
            return f"refused {show(error)}, back: {shown(op, argument)}", error
        if type(error) is RuntimeError and op == "close" and state(generator) == "Suspended":
            return f"refused {show(error)}", error
        return f"raised {show(error)}", None
    if op != "close":
        return f"yielded {value}", None
    return "closed" if value is None else f"returned {value}", None


def shown(op, argument):
    if op == "send":
        return f"send({argument})"
    if op == "throw":
        return f"throw({show(argument())})"
    return op


def drive(body, script):
    print("from the start")
    HANDLES.clear()
    make(body, True, None)
    for action in script.split(","):
        on, op = action.split(" ")
        who = "" if on == "0" else f"#{on} "
        if int(on) < len(HANDLES):
            operate(who, HANDLES[int(on)], *read(op))
        else:
            print(f"{who}nobody")


def read(op):
    """An operation, and its argument."""
    name, _, argument = op.rstrip(")").partition("(")
    if name == "send":
        return name, None if argument == "None" else int(argument)
    return name, {"A": A, "B": B, "Exit": GeneratorExit, "": None}[argument]


def operate(who, generator, op, argument):
    given, _ = answer(generator, op, argument)
    now = state(generator)
    delegating = " delegating" if generator.gi_yieldfrom is not None else ""
    print(f"{who}{shown(op, argument)} -> {given} [{now}{delegating}]")
    return given


def exhaust(who, generator, times):
    for _ in range(times):
        if not operate(who, generator, "next", None).startswith("yielded"):
            break


def itself(what, raises, generator, op, argument):
    given, refused = answer(generator, op, argument)
    if raises and refused is not None:
        raise refused
    print(f"{what} -> {given}")


