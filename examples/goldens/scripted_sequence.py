"""Sequences of a game: each yields what it waits for, and a frame loop sends it the time that has passed."""

FRAME = 0.0625
FRAMES = 64

frame = 0


def says(what):
    print(f"{frame:>2} {what}")


def lamp():
    flashes = 0
    try:
        while True:
            flashes += 1
            says("the lamp flashes")
            yield ("frames", 12)
    finally:
        says(f"the lamp goes out after {flashes} flashes")


def speech(who, lines):
    for line in lines:
        says(f"{who}: {line}")
        try:
            passed = yield ("seconds", 0.4)
        except GeneratorExit:
            says(f"{who} falls silent")
            raise
    says(f"{who} took {passed} s for the last line")
    return len(lines)


def scene():
    says("curtain up")
    yield ("frames", 4)
    lines = yield from speech("guard", ["who goes there?", "speak!"])
    yield ("seconds", 0.5)
    lines += yield from speech("ghost", ["boo", "boo!"])
    says(f"curtain down after {lines} lines")


def dream():
    try:
        for night in (1, 2, 3):
            says(f"night {night}")
            yield from speech("sleeper", ["one sheep", "two sheep", "three sheep"])
            yield ("seconds", 0.3)
    finally:
        says("the dream is over")


class Player:
    def __init__(self, sequence):
        self.sequence, self.waits_for = sequence, next(sequence)
        self.frames, self.seconds = 0, 0.0

    def is_due(self, delta):
        self.frames += 1
        self.seconds += delta
        unit, amount = self.waits_for
        return self.frames >= amount if unit == "frames" else self.seconds >= amount

    def resume(self):
        passed, self.frames, self.seconds = self.seconds, 0, 0.0
        try:
            self.waits_for = self.sequence.send(passed)
            return True
        except StopIteration:
            return False


def main():
    global frame
    players = {name: Player(make()) for name, make in (("lamp", lamp), ("scene", scene), ("dream", dream))}
    while frame < FRAMES:
        frame += 1
        for name, player in list(players.items()):
            if player.is_due(FRAME) and not player.resume():
                del players[name]
        if frame == 40:
            players.pop("lamp").sequence.close()
    for player in players.values():
        player.sequence.close()


main()
