//! Scripts of all flavours in a frame loop.

use coro_core::prelude::*;
use coro_examples::frame::{Game, patrol};
use coro_examples::transcript::Transcript;

#[test]
fn scripts_of_all_flavours_keep_the_frames() {
    let (game, log) = (Game::default(), Transcript::silent());
    let (event_loop, frames) = (game.event_loop(), game.frames());
    let scripts = [
        event_loop.spawn(patrol::native("Ada", 2, frames.clone(), log.clone())),
        event_loop.spawn(patrol::generator("Bob", 1, frames.clone(), log.clone())),
        event_loop.spawn(patrol::fiber("Cyd", 3, frames.clone(), log.clone())),
        // She waits for a frame that is not shown.
        event_loop.spawn(patrol::fiber("Dot", 1, frames.clone(), log.clone())),
    ];
    for _ in 0..2 {
        game.show().unwrap();
    }
    assert!(scripts[3].cancel());
    while !scripts.iter().all(JoinHandle::is_done) {
        game.show().unwrap();
    }
    assert_eq!(
        log.text(),
        "1: Ada takes step 1\n1: Bob takes step 1\n1: Cyd takes step 1\n1: Dot takes step 1\n\
         3: Ada takes step 2\n3: Cyd takes step 2\n\
         5: Cyd takes step 3\n\
         7: Bob has rested\n9: Ada has rested\n11: Cyd has rested\n"
    );
    assert_eq!(frames.shown(), 11);
    assert_eq!(event_loop.time().as_nanos(), 11 * (1_000_000_000 / 60));
}

#[test]
fn a_script_cannot_show_frames() {
    let game = std::rc::Rc::new(Game::default());
    let inner = std::rc::Rc::clone(&game);
    let script = game.event_loop().spawn(async move { inner.show() });
    game.show().unwrap();
    assert!(matches!(game.event_loop().run_until_complete(script).unwrap(), Err(RunError::Nested)));
}
