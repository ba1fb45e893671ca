//! The rack's clock: the only place of this floor that reads the time.
//!
//! Owns the reading. Does not schedule anything: sleeping is tokio's.

use crate::units::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, to the microsecond. A computer whose clock stands before 1970 reads as 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
