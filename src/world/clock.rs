//! The one place that reads the system's clock.

use crate::units::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in microseconds since 1970. A clock before 1970 reads as 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
