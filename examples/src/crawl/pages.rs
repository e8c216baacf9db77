//! A small site in memory: this project's own documentation, cut down to its text and links.

macro_rules! pages {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("../../pages/", $name)))),*]
    };
}

/// The pages, by their names.
#[rustfmt::skip]
pub(super) static PAGES: &[(&str, &[u8])] = pages![
    "coro_core.backend.airlock.html",
    "coro_core.backend.html",
    "coro_core.backend.machine.html",
    "coro_core.backend.request.html",
    "coro_core.conformance.html",
    "coro_core.coroutine.asynchronous.html",
    "coro_core.coroutine.ext.html",
    "coro_core.coroutine.html",
    "coro_core.coroutine.outcome.html",
    "coro_core.coroutine.shared.html",
    "coro_core.driver.epoll.html",
    "coro_core.driver.html",
    "coro_core.driver.operation.html",
    "coro_core.driver.paced.html",
    "coro_core.driver.simulated.html",
    "coro_core.event_loop.core.html",
    "coro_core.event_loop.drive.html",
    "coro_core.event_loop.error.html",
    "coro_core.event_loop.html",
    "coro_core.event_loop.inbox.html",
    "coro_core.event_loop.operation.html",
    "coro_core.event_loop.ready.html",
    "coro_core.event_loop.run.html",
    "coro_core.event_loop.timer.html",
    "coro_core.event_loop.turn.html",
    "coro_core.html",
    "coro_core.native.co.html",
    "coro_core.native.engine.html",
    "coro_core.native.html",
    "coro_core.native.task.html",
    "coro_core.net.html",
    "coro_core.net.listener.html",
    "coro_core.net.stream.html",
    "coro_core.prelude.html",
    "coro_core.queue.html",
    "coro_core.stats.html",
    "coro_core.task.cell.html",
    "coro_core.task.error.html",
    "coro_core.task.group.html",
    "coro_core.task.html",
    "coro_core.task.into_task.html",
    "coro_core.task.join.html",
    "coro_core.task.waker.html",
    "coro_core.time.html",
    "coro_fiber.co.html",
    "coro_fiber.engine.html",
    "coro_fiber.html",
    "coro_fiber.stack.html",
    "coro_fiber.task.html",
    "coro_gen.co.html",
    "coro_gen.engine.html",
    "coro_gen.html",
    "coro_gen.task.html",
    "index.html",
    "style.css",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_listed() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
        let files = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, PAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
