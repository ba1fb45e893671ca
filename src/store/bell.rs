//! A bell per subject: whoever waits for a row to change is woken when it does.
//!
//! It carries no data: a waiter looks at the stored row when it registers, at each ring, and at
//! its deadline.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

#[derive(Default)]
pub struct Bell(Mutex<HashMap<String, Arc<Notify>>>);

impl Bell {
    /// The bell of one subject, such as a ticket's id. Enable its `notified()` before looking.
    pub fn of(&self, subject: &str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|name, bell| name == subject || Arc::strong_count(bell) > 1);
        bells.entry(subject.to_string()).or_default().clone()
    }

    pub fn ring(&self, subject: &str) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(subject) {
            bell.notify_waiters();
        }
    }
}
