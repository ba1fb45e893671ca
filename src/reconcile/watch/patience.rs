//! Patience: how long a node that failed is left alone, and how long a look that came to nothing is put off.
//!
//! Pure: time is an argument. Nothing that fails is tried in a hot loop.

use crate::model::run::NodeState;
use crate::model::watch::Resting;
use crate::units::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The longest rest of a node that fails again and again, unless the watch looks even less often.
const LONGEST_REST: Duration = Duration::from_secs(600);
/// The first and the longest wait after a look that came to nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Doubles `first` for each time before this one, up to `longest`.
fn doubled(first: Duration, times_before: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times_before.min(16)).min(longest.max(first))
}

/// The pause after a look that came to nothing for the `failures`-th time in a row.
pub fn pause(failures: u32) -> Duration {
    doubled(FIRST_PAUSE, failures.saturating_sub(1), LONGEST_PAUSE)
}

/// Nodes that failed, until the design changes.
pub struct Patience {
    /// How often the watch looks: the first rest.
    every: Duration,
    nodes: BTreeMap<Arc<str>, Rest>,
}

struct Rest {
    failures: u32,
    until: Time,
}

impl Patience {
    pub fn new(every: Duration) -> Patience {
        Patience { every, nodes: BTreeMap::new() }
    }

    /// A new revision: whatever failed may do better now.
    pub fn forget(&mut self) {
        self.nodes.clear();
    }

    /// Notes how a run ended: `tried` are its nodes, `troubled` those of them that did not end well.
    pub fn note(
        &mut self,
        tried: impl IntoIterator<Item = Arc<str>>,
        troubled: &[(Arc<str>, NodeState, String)],
        now: Time,
    ) -> Vec<Resting> {
        let bad: BTreeSet<&str> = troubled.iter().map(|(node, ..)| &**node).collect();
        for node in tried {
            if !bad.contains(&*node) {
                self.nodes.remove(&node);
            }
        }
        let mut resting = Vec::new();
        for (node, state, why) in troubled {
            // Others were kept from beginning; what kept them decides when they are tried.
            if *state != NodeState::Failed {
                continue;
            }
            let rest = self.nodes.entry(node.clone()).or_insert(Rest { failures: 0, until: now });
            rest.until = now.plus(doubled(self.every, rest.failures, LONGEST_REST));
            rest.failures = rest.failures.saturating_add(1);
            resting.push(Resting { node: node.clone(), why: why.clone(), until: rest.until });
        }
        resting
    }

    /// The nodes that are left alone now.
    pub fn resting(&self, now: Time) -> BTreeSet<Arc<str>> {
        // A rest that seems longer began before somebody put the clock back.
        let longest = LONGEST_REST.max(self.every);
        let rests = |rest: &Rest| rest.until > now && rest.until.since(now) <= longest;
        self.nodes.iter().filter(|(_, rest)| rests(rest)).map(|(node, _)| node.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(200);

    fn failed(node: &str) -> [(Arc<str>, NodeState, String); 1] {
        [(node.into(), NodeState::Failed, "no answer".into())]
    }

    #[test]
    fn a_node_that_fails_rests_longer_each_time_up_to_ten_minutes() {
        let mut patience = Patience::new(EVERY);
        let mut now = Time(0);
        for seconds in [200, 400, 600, 600] {
            let resting = patience.note(["a".into()], &failed("a"), now);
            assert_eq!(resting[0].until, now.plus(Duration::from_secs(seconds)));
            assert_eq!(patience.resting(now).len(), 1);
            now = resting[0].until;
            assert_eq!(patience.resting(now).len(), 0);
        }
    }

    #[test]
    fn a_watch_that_looks_less_often_than_that_keeps_its_own_rhythm() {
        let mut patience = Patience::new(Duration::from_secs(3600));
        for _ in 0..2 {
            let resting = patience.note([], &failed("a"), Time(0));
            assert_eq!(resting[0].until, Time(0).plus(Duration::from_secs(3600)));
        }
    }

    #[test]
    fn success_and_a_new_revision_end_the_rest_and_others_are_not_concerned() {
        let mut patience = Patience::new(EVERY);
        patience.note(["a".into(), "b".into()], &failed("a"), Time(0));
        assert_eq!(patience.resting(Time(0)), ["a".into()].into());
        patience.note(["a".into()], &[], Time(0));
        assert!(patience.resting(Time(0)).is_empty());
        patience.note(["a".into()], &failed("a"), Time(3_600_000_000));
        assert!(patience.resting(Time(0)).is_empty(), "the clock was put back");
        assert!(!patience.resting(Time(3_600_000_000)).is_empty());
        patience.forget();
        assert!(patience.resting(Time(3_600_000_000)).is_empty());
        let waiting = [("a".into(), NodeState::Waiting, "the budget".into())];
        assert_eq!(patience.note(["a".into()], &waiting, Time(0)), []);
        assert!(patience.resting(Time(0)).is_empty());
    }

    #[test]
    fn pauses_double_and_end_at_a_minute() {
        let seconds: Vec<u64> = (1..9).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
