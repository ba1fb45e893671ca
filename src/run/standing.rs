//! How the steps of a node stand to each other while it is worked on: which may begin, and which never will.
//!
//! Pure; what waits for what was decided by the plan.

use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Open,
    UnderWay,
    Well,
    /// It did not end well, or was never begun because another one did not.
    Ill,
}

/// The steps of one node, by their position in the run.
pub struct Standing {
    /// The positions that each step waits for.
    waits: Vec<Vec<usize>>,
    stands: Vec<Stand>,
}

impl Standing {
    /// Of steps and those that each waits for; `None` waits for all before it. One that is not in the run is not waited for.
    pub fn of<'a>(steps: impl Iterator<Item = (&'a Arc<str>, Option<&'a [Arc<str>]>)>) -> Standing {
        let steps: Vec<_> = steps.collect();
        let waits = steps.iter().enumerate().map(|(position, (_, after))| match after {
            None => (0..position).collect(),
            Some(after) => (0..position).filter(|other| after.contains(steps[*other].0)).collect(),
        });
        Standing { waits: waits.collect(), stands: vec![Stand::Open; steps.len()] }
    }

    /// The steps that may begin now; they count as begun.
    pub fn begin(&mut self) -> Vec<usize> {
        let ready = |position: &usize| {
            self.stands[*position] == Stand::Open
                && self.waits[*position].iter().all(|other| self.stands[*other] == Stand::Well)
        };
        let ready: Vec<usize> = (0..self.stands.len()).filter(ready).collect();
        ready.iter().for_each(|position| self.stands[*position] = Stand::UnderWay);
        ready
    }

    pub fn ended(&mut self, position: usize, well: bool) {
        self.stands[position] = if well { Stand::Well } else { Stand::Ill };
    }

    /// The steps that wait for one that did not end well, or for another of these; each is named once.
    pub fn lost(&mut self) -> Vec<usize> {
        let mut lost = Vec::new();
        // A step waits for earlier positions only, so one pass sees every chain.
        for position in 0..self.stands.len() {
            let ill = self.waits[position].iter().any(|other| self.stands[*other] == Stand::Ill);
            if self.stands[position] == Stand::Open && ill {
                self.stands[position] = Stand::Ill;
                lost.push(position);
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps with what each waits for; `*` waits for all before it.
    fn standing(steps: &[(&str, &str)]) -> Standing {
        let names: Vec<Arc<str>> = steps.iter().map(|(name, _)| Arc::from(*name)).collect();
        let list = |after: &str| -> Vec<Arc<str>> { after.split_whitespace().map(Arc::from).collect() };
        let waits: Vec<Option<Vec<Arc<str>>>> =
            steps.iter().map(|(_, after)| (*after != "*").then(|| list(after))).collect();
        Standing::of(names.iter().zip(waits.iter().map(Option::as_deref)))
    }

    #[test]
    fn a_step_begins_once_and_when_all_that_it_waits_for_have_ended_well() {
        let mut standing = standing(&[("a", ""), ("b", ""), ("c", "a b gone"), ("d", "b")]);
        assert_eq!(standing.begin(), [0, 1]);
        assert!(standing.begin().is_empty());
        standing.ended(1, true);
        assert_eq!(standing.begin(), [3]);
        standing.ended(0, true);
        assert_eq!(standing.begin(), [2]);
        assert!(standing.lost().is_empty());
    }

    #[test]
    fn what_waits_for_a_failed_step_is_lost_and_the_others_go_on() {
        let mut standing = standing(&[("a", ""), ("b", ""), ("c", "a"), ("d", "c"), ("e", "b")]);
        standing.begin();
        standing.ended(0, false);
        assert_eq!(standing.lost(), [2, 3]);
        assert!(standing.lost().is_empty());
        standing.ended(1, true);
        assert_eq!(standing.begin(), [4]);
    }

    #[test]
    fn steps_of_earlier_versions_follow_each_other() {
        let mut standing = standing(&[("a", "*"), ("b", "*"), ("c", "*")]);
        assert_eq!(standing.begin(), [0]);
        standing.ended(0, true);
        assert_eq!(standing.begin(), [1]);
        standing.ended(1, false);
        assert_eq!(standing.lost(), [2]);
    }
}
