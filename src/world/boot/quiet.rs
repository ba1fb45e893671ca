//! Quiet: a warning that a thousand packets would cause is given once a minute, with the number left out.

use crate::units::Time;
use std::sync::Mutex;
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Quiet {
    last: Mutex<Option<(Time, u64)>>,
}

impl Quiet {
    /// `Some(left out since the last time)` when it is time to speak again.
    pub fn speak(&self, now: Time) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &mut *last {
            Some((at, left_out)) if now.since(*at) < PAUSE && now >= *at => {
                *left_out += 1;
                None
            }
            other => {
                let left_out = other.map_or(0, |(_, left_out)| left_out);
                *other = Some((now, 0));
                Some(left_out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_warning_a_minute_with_a_count() {
        let quiet = Quiet::default();
        let at = |seconds: i64| Time(seconds * 1_000_000);
        assert_eq!(quiet.speak(at(0)), Some(0));
        assert_eq!(quiet.speak(at(1)), None);
        assert_eq!(quiet.speak(at(59)), None);
        assert_eq!(quiet.speak(at(60)), Some(2));
        assert_eq!(quiet.speak(at(61)), None);
    }
}
