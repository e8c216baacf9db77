//! The ways between hosts.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::choices::Choices;
use super::host::HostId;
use crate::time::Time;

/// How what is sent on a link travels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Link {
    /// How long it takes, chosen anew each time.
    pub(crate) latency: RangeInclusive<Duration>,
    /// In bytes a second; what is sent waits for what was sent before.
    pub(crate) bandwidth: Option<u64>,
    /// How many packets of a thousand are lost, and sent again after [`RESEND_AFTER`].
    pub(crate) loss: u16,
    /// How many connects of a thousand are refused.
    pub(crate) refused: u16,
    /// How many sends of a thousand find the connection reset.
    pub(crate) reset: u16,
}

/// When a lost packet is sent again: the least that Linux waits.
const RESEND_AFTER: Duration = Duration::from_millis(200);

impl Default for Link {
    /// At once, and without fault.
    fn default() -> Self {
        Self { latency: Duration::ZERO..=Duration::ZERO, bandwidth: None, loss: 0, refused: 0, reset: 0 }
    }
}

/// A link in one direction, at work.
#[derive(Debug, Default)]
struct Way {
    link: Option<Link>,
    /// When all that was sent has left.
    free_at: Time,
    /// Partitioned: nothing arrives.
    cut: bool,
}

/// The links between all hosts.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Of those that have none of their own. The one from a host to itself is always plain.
    pub(super) common: Link,
    plain: Link,
    ways: BTreeMap<(HostId, HostId), Way>,
}

impl Links {
    pub(super) fn set(&mut self, from: HostId, to: HostId, link: Link) {
        self.ways.entry((from, to)).or_default().link = Some(link);
    }

    pub(super) fn set_cut(&mut self, from: HostId, to: HostId, cut: bool) {
        if from != to {
            self.ways.entry((from, to)).or_default().cut = cut;
        }
    }

    pub(super) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.ways.get(&(from, to)).is_some_and(|way| way.cut)
    }

    pub(super) fn get(&self, from: HostId, to: HostId) -> &Link {
        if from == to {
            return &self.plain;
        }
        self.ways.get(&(from, to)).and_then(|way| way.link.as_ref()).unwrap_or(&self.common)
    }

    /// When something of this size that is sent now arrives, and whether it is lost before.
    pub(super) fn arrival(
        &mut self,
        from: HostId,
        to: HostId,
        bytes: usize,
        now: Time,
        choices: &mut Choices,
    ) -> (Time, bool) {
        let link = self.get(from, to);
        let (bandwidth, loss) = (link.bandwidth, link.loss);
        let latency = choices.duration(&link.latency);
        let mut left = now;
        if let Some(bandwidth) = bandwidth {
            let way = self.ways.entry((from, to)).or_default();
            let takes = Duration::from_secs_f64(bytes as f64 / bandwidth.max(1) as f64);
            left = way.free_at.max(now) + takes;
            way.free_at = left;
        }
        let lost = choices.happens(loss);
        let again = if lost { RESEND_AFTER } else { Duration::ZERO };
        (left + latency + again, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// When things of these sizes that are sent at once arrive, in milliseconds.
    fn arrivals(link: Link, choices: Vec<u64>, sizes: &[usize]) -> Vec<u128> {
        let mut links = Links::default();
        let (here, there) = (HostId(0), HostId(1));
        links.set(here, there, link);
        let mut choices = Choices::recorded(choices);
        let mut arrival = |bytes| links.arrival(here, there, bytes, Time::ZERO, &mut choices).0;
        sizes.iter().map(|bytes| arrival(*bytes).since(Time::ZERO).as_millis()).collect()
    }

    #[test]
    fn a_latency_is_within_its_range_and_plainly_the_least() {
        let link = Link { latency: millis(10)..=millis(30), ..Link::default() };
        assert_eq!(arrivals(link, vec![0, 20_000_000, 5_000_000], &[1, 1, 1]), [10, 30, 15]);
    }

    #[test]
    fn bytes_wait_for_those_before_them() {
        let link = Link { bandwidth: Some(1_000), latency: millis(5)..=millis(5), ..Link::default() };
        assert_eq!(arrivals(link, vec![], &[100, 50, 0]), [105, 155, 155]);
    }

    #[test]
    fn what_is_lost_comes_later() {
        let link = Link { loss: 500, ..Link::default() };
        assert_eq!(arrivals(link, vec![999, 499], &[1, 1]), [200, 0]);
    }

    #[test]
    fn a_host_reaches_itself_at_once() {
        let mut links =
            Links { common: Link { latency: millis(9)..=millis(9), ..Link::default() }, ..Links::default() };
        links.set_cut(HostId(0), HostId(0), true);
        assert!(!links.is_cut(HostId(0), HostId(0)));
        let mut choices = Choices::default();
        let mut arrival = |to| links.arrival(HostId(0), HostId(to), 1, Time::ZERO, &mut choices).0;
        assert_eq!([arrival(0), arrival(1)], [Time::ZERO, Time::ZERO + millis(9)]);
    }
}
