//! What the benches with many points share.

use std::time::Duration;

use criterion::Criterion;

/// Measures a point in less than a second.
pub fn quick() -> Criterion {
    Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
}
