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
ROOT = [None]
KEPT = []


def make(body):
    me = []
    generator = body(me)
    me.append(generator)
    # Python closes what it drops.
    KEPT.append(generator)
    return generator


def end():
    sys.stdout.flush()
    os._exit(0)


def state(generator):
    return STATES[inspect.getgeneratorstate(generator)]


def unfinished(generator):
    if state(generator) == "Finished":
        raise Finished
    return generator


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
    before = state(generator)
    if before == "Created" and op == "send":
        if argument is not None:
            try:
                raw(generator, op, argument)
            except TypeError:
                pass
            else:
                return "accepted"
        return f"refused NotStarted, back: {argument}"
    try:
        value = raw(generator, op, argument)
    except StopIteration as stop:
        if before == "Finished":
            return f"refused Finished, back: {argument}"
        return f"returned {stop.value}"
    except RuntimeError as error:
        if op == "close" and state(generator) == "Suspended":
            return f"refused {show(error)}"
        return f"raised {show(error)}"
    except BaseException as error:
        return f"raised {show(error)}"
    if op != "close":
        return f"yielded {value}"
    return "closed" if value is None else f"returned {value}"


def operate(who, generator, op, argument):
    given = answer(generator, op, argument)
    now = state(generator)
    delegating = " delegating" if generator.gi_yieldfrom is not None else ""
    shown = op
    if op == "send":
        shown = f"send({argument})"
    if op == "throw":
        shown = f"throw({show(argument())})"
    print(f"{who}{shown} -> {given} [{now}{delegating}]")
    return given


def exhaust(who, generator, times):
    for _ in range(times):
        if not operate(who, generator, "next", None).startswith("yielded"):
            break


def itself(what, generator, op, argument):
    try:
        value = raw(generator, op, argument)
    except ValueError as error:
        back = {"next": "send(None)", "send": f"send({argument})", "close": "close"}.get(op)
        if op == "throw":
            back = f"throw({show(argument())})"
        print(f"{what} -> refused {show(error)}, back: {back}")
    else:
        print(f"{what} -> {value}")


