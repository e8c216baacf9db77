//! What a resume costs.

use std::time::Instant;

use coro_core::stats::Flavour;
use coro_core::time::yield_now;
use coro_core::{EventLoop, RunError};

use crate::loop_kind::LoopKind;

/// How often it is measured. The median is given, so that two disturbed samples do no harm.
const SAMPLES: usize = 5;

/// How many nanoseconds of real time a task of this flavour takes to give way to the loop and be resumed by it, in
/// the median of five samples of `resumes` each. It is a whole turn of the loop: on the kernel's loops, that
/// includes looking for events.
///
/// # Errors
///
/// If the loop cannot be made, or run.
pub fn ns_per_resume(flavour: Flavour, loop_kind: LoopKind, resumes: u32) -> Result<f64, RunError> {
    let mut samples = [0.0; SAMPLES];
    for sample in &mut samples {
        *sample = sample_of(flavour, loop_kind, resumes)?;
    }
    samples.sort_by(f64::total_cmp);
    Ok(samples[SAMPLES / 2])
}

fn sample_of(flavour: Flavour, loop_kind: LoopKind, resumes: u32) -> Result<f64, RunError> {
    let event_loop = loop_kind.make(None)?;
    let start = Instant::now();
    match flavour {
        Flavour::Native => event_loop.run(async move {
            for _ in 0..resumes {
                yield_now().await;
            }
        }),
        Flavour::Generator => event_loop.run(coro_gen::task(async move |co| {
            for _ in 0..resumes {
                co.wait(yield_now()).await?;
            }
            Ok(())
        })),
        Flavour::Fiber => event_loop.run(coro_fiber::task(move |co| {
            for _ in 0..resumes {
                co.wait(yield_now())?;
            }
            Ok(())
        })),
    }?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(resumes.max(1)))
}
