//! A chess master plays twenty-four boards: one after the other, then walking from board to board.
//!
//! This demonstrates:
//!
//! 1. why a wait should let others run: the same 720 pairs of moves take twelve hours or one hour;
//! 2. tasks that hand each other the turn through queues;
//! 3. hours of a loop's clock in a blink.
//!
//! Her clock stops at her last move, as the story has it; the last opponent replies 55 seconds later.
//!
//! Golden: `chess.py.out`.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time::{Time, now};

use super::{Context, run_main};
use crate::say;
use crate::transcript::Transcript;

const BOARDS: usize = 24;
const PAIRS: usize = 30;
const MASTER: Duration = Duration::from_secs(5);
const OPPONENT: Duration = Duration::from_secs(55);

/// What lies between the master and one opponent.
#[derive(Clone)]
struct Board {
    moves: Queue<()>,
    replies: Queue<()>,
}

impl Board {
    fn all() -> Vec<Self> {
        (0..BOARDS).map(|_| Self { moves: Queue::unbounded(), replies: Queue::unbounded() }).collect()
    }
}

/// The clock after each part, all on the loop's clock, which starts at zero.
struct Clock {
    start: Time,
    played: Time,
}

fn report(clock: &Clock, out: &Transcript) {
    let seconds = |duration: Duration| duration.as_secs_f64();
    say!(out, "one after the other: {:.0} seconds", clock.start.as_secs_f64());
    say!(out, "from board to board: {:.0} seconds", seconds(clock.played - clock.start));
    say!(out, "the last reply: {:.0} seconds later", seconds(now() - clock.played));
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    run_main(flavour, context, native::main, generator::main, fiber::main)
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn one_after_the_other() {
        for _ in 0..BOARDS * PAIRS {
            sleep(MASTER).await;
            sleep(OPPONENT).await;
        }
    }

    async fn opponent(board: Board) {
        for _ in 0..PAIRS {
            board.moves.get().await.unwrap();
            sleep(OPPONENT).await;
            board.replies.put(()).await.unwrap();
        }
    }

    async fn from_board_to_board(boards: &[Board]) {
        for pair in 0..PAIRS {
            for board in boards {
                if pair > 0 {
                    board.replies.get().await.unwrap();
                }
                sleep(MASTER).await;
                board.moves.put(()).await.unwrap();
            }
        }
    }

    pub(super) async fn main(out: Transcript) -> Result<(), TaskError> {
        one_after_the_other().await;
        let start = now();
        let boards = Board::all();
        let opponents: Vec<_> = boards.iter().cloned().map(|board| spawn(opponent(board))).collect();
        from_board_to_board(&boards).await;
        let clock = Clock { start, played: now() };
        gather(opponents).await?;
        report(&clock, &out);
        Ok(())
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::spawn;

    async fn one_after_the_other(co: &mut TaskCo<'_>) -> TaskResult<()> {
        for _ in 0..BOARDS * PAIRS {
            co.wait(sleep(MASTER)).await?;
            co.wait(sleep(OPPONENT)).await?;
        }
        Ok(())
    }

    async fn opponent(co: &mut TaskCo<'_>, board: Board) -> TaskResult<()> {
        for _ in 0..PAIRS {
            co.wait(board.moves.get()).await?.unwrap();
            co.wait(sleep(OPPONENT)).await?;
            co.wait(board.replies.put(())).await?.unwrap();
        }
        Ok(())
    }

    async fn from_board_to_board(co: &mut TaskCo<'_>, boards: &[Board]) -> TaskResult<()> {
        for pair in 0..PAIRS {
            for board in boards {
                if pair > 0 {
                    co.wait(board.replies.get()).await?.unwrap();
                }
                co.wait(sleep(MASTER)).await?;
                co.wait(board.moves.put(())).await?.unwrap();
            }
        }
        Ok(())
    }

    pub(super) async fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        one_after_the_other(co).await?;
        let start = now();
        let boards = Board::all();
        let begin = |board: Board| spawn(async move |co| opponent(co, board).await);
        let opponents: Vec<_> = boards.iter().cloned().map(begin).collect();
        from_board_to_board(co, &boards).await?;
        let clock = Clock { start, played: now() };
        co.wait(gather(opponents)).await??;
        report(&clock, &out);
        Ok(())
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::spawn;

    fn one_after_the_other(co: &mut TaskCo<'_>) -> TaskResult<()> {
        for _ in 0..BOARDS * PAIRS {
            co.wait(sleep(MASTER))?;
            co.wait(sleep(OPPONENT))?;
        }
        Ok(())
    }

    fn opponent(co: &mut TaskCo<'_>, board: &Board) -> TaskResult<()> {
        for _ in 0..PAIRS {
            co.wait(board.moves.get())?.unwrap();
            co.wait(sleep(OPPONENT))?;
            co.wait(board.replies.put(()))?.unwrap();
        }
        Ok(())
    }

    fn from_board_to_board(co: &mut TaskCo<'_>, boards: &[Board]) -> TaskResult<()> {
        for pair in 0..PAIRS {
            for board in boards {
                if pair > 0 {
                    co.wait(board.replies.get())?.unwrap();
                }
                co.wait(sleep(MASTER))?;
                co.wait(board.moves.put(()))?.unwrap();
            }
        }
        Ok(())
    }

    pub(super) fn main(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        one_after_the_other(co)?;
        let start = now();
        let boards = Board::all();
        let opponents: Vec<_> =
            boards.iter().cloned().map(|board| spawn(move |co| opponent(co, &board))).collect();
        from_board_to_board(co, &boards)?;
        let clock = Clock { start, played: now() };
        co.wait(gather(opponents))??;
        report(&clock, out);
        Ok(())
    }
}
