"""The chess exhibition of the tutorial, on a loop whose clock jumps from timer to timer."""
import asyncio
import selectors

BOARDS, PAIRS, MASTER, OPPONENT = 24, 30, 5, 55


class VirtualSelector(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            # Rounded, because the loop gives a difference of two of its times.
            self.now = round(self.now + timeout, 6)
        return ready


selector = VirtualSelector()
loop = asyncio.SelectorEventLoop(selector)
loop.time = lambda: selector.now


async def one_after_the_other():
    for _board in range(BOARDS):
        for _pair in range(PAIRS):
            await asyncio.sleep(MASTER)
            await asyncio.sleep(OPPONENT)


async def opponent(moves, replies):
    for _pair in range(PAIRS):
        await moves.get()
        await asyncio.sleep(OPPONENT)
        replies.put_nowait(None)


async def from_board_to_board():
    boards = [(asyncio.Queue(), asyncio.Queue()) for _ in range(BOARDS)]
    opponents = [loop.create_task(opponent(*board)) for board in boards]
    for pair in range(PAIRS):
        for moves, replies in boards:
            if pair > 0:
                await replies.get()
            await asyncio.sleep(MASTER)
            moves.put_nowait(None)
    played = loop.time()
    await asyncio.gather(*opponents)
    return played


async def main():
    await one_after_the_other()
    start = loop.time()
    print(f"one after the other: {start:.0f} seconds")
    played = await from_board_to_board()
    print(f"from board to board: {played - start:.0f} seconds")
    print(f"the last reply: {loop.time() - played:.0f} seconds later")


loop.run_until_complete(main())
