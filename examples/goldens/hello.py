"""A coroutine object does nothing by itself; a loop runs it."""
import asyncio


async def main():
    print("Hello ...")
    await asyncio.sleep(1)
    print("World!")


routine = main()
print(routine)
asyncio.run(routine)
