//! How long one test may compute: itself and everything that it runs, together.

use rhai::{Dynamic, Engine};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The operations of one test, all of its evaluations together: about two seconds of one core.
const OPERATIONS: u64 = 10_000_000;

/// A shared count of what is left; whoever holds it may also end the test at once.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<Left>);

#[derive(Debug, Default)]
struct Left {
    spent: AtomicU64,
    stopped: AtomicBool,
}

impl Budget {
    /// Every operation of the engine is paid from it.
    pub fn govern(&self, engine: &mut Engine) {
        let budget = self.clone();
        engine.on_progress(move |_| {
            budget.0.spent.fetch_add(1, Ordering::Relaxed);
            budget.is_spent().then_some(Dynamic::UNIT)
        });
    }

    /// A new test begins.
    pub fn renew(&self) {
        self.0.spent.store(0, Ordering::Relaxed);
        self.0.stopped.store(false, Ordering::Relaxed);
    }

    /// Ends the test that is under way.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_spent(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed) || self.0.spent.load(Ordering::Relaxed) > OPERATIONS
    }
}
