//! How an attempt ended, and whether the step's policy tries it again.

use crate::model::blueprint::Retry;
use crate::script::tape::EffectFailure;
use crate::store::StoreError;

/// The end of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done {
        /// The attempt made a `once` effect.
        once: bool,
    },
    /// It was true before anything was done.
    AlreadyTrue,
    Failed {
        why: String,
        transient: bool,
        /// The attempt made a `once` effect, so it is never restarted by itself.
        once: bool,
    },
    InDoubt {
        question: String,
    },
    /// We were told to stop, or cannot see what we had begun: the attempt stays as it is in the
    /// journal, and the next apply goes on with it.
    Stopped {
        why: String,
    },
}

impl Verdict {
    pub fn interrupted() -> Verdict {
        Verdict::Stopped { why: "interrupted; the next apply goes on".into() }
    }

    /// The same, of an attempt that made a `once` effect before.
    pub fn after(self, made_once: bool) -> Verdict {
        match self {
            Verdict::Failed { why, transient, once } => {
                Verdict::Failed { why, transient, once: once || made_once }
            }
            other => other,
        }
    }

    pub fn failed(failure: EffectFailure) -> Verdict {
        Verdict::Failed { why: failure.message, transient: failure.transient, once: false }
    }

    /// True when the policy allows another attempt after `made` attempts.
    pub fn is_retried(&self, retry: &Retry, made: i64) -> bool {
        match self {
            Verdict::Failed { transient: true, once: false, .. } => made <= i64::from(retry.count),
            _ => false,
        }
    }
}

/// Why a run cannot go on at all: the store refuses or fails. Nothing more is done by it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the run stops: {0}")]
pub struct Halt(#[from] pub StoreError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_failures_without_a_once_effect_are_retried() {
        let retry = Retry { count: 2, ..Retry::default() };
        let failed = |transient, once| Verdict::Failed { why: "x".into(), transient, once };
        assert!(failed(true, false).is_retried(&retry, 2));
        assert!(!failed(true, false).is_retried(&retry, 3));
        assert!(!failed(false, false).is_retried(&retry, 1));
        assert!(!failed(true, true).is_retried(&retry, 1));
        assert!(!Verdict::InDoubt { question: "?".into() }.is_retried(&retry, 1));
    }
}
