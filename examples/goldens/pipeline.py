"""A pipeline of coroutines that are fed with send(): source, filter, running average, sink."""

READINGS = [21.5, -99.0, 22.5, 23.0, -99.0, 20.0, 24.5, 19.25]


def source():
    yield from READINGS


def only_valid():
    kept = None
    while True:
        reading = yield kept
        kept = reading if reading > -50.0 else None


def running_average():
    average, total, count = None, 0.0, 0
    while True:
        total += yield average
        count += 1
        average = total / count


def sink():
    received = 0
    try:
        while True:
            average = yield
            received += 1
            print(f"average of {received}: {average:.3f}")
    except GeneratorExit:
        print(f"sink closed after {received} averages")


def feed():
    stages = only_valid(), running_average(), sink()
    for stage in stages:
        next(stage)
    valid, average, end = stages
    for reading in source():
        kept = valid.send(reading)
        if kept is not None:
            end.send(average.send(kept))
    for stage in stages:
        stage.close()


# CPython has no loop for typed coroutines, so both halves are fed by hand here.
print("by hand")
feed()
print("on the loop")
feed()
