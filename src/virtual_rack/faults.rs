//! Seeded faults: what goes wrong, decided by seed, node and how often that node was asked.
//!
//! Owns the text form `SEED:SPEC` and the draws. Does not carry a fault out: the BMC and the firmware do.
//! A draw is a function of (seed, node, kind, counter) and nothing else, so the same order of requests
//! meets the same faults.

use std::time::Duration;

/// What may go wrong, each with its probability per request, power-on or boot attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    seed: u64,
    slow: f64,
    drop: f64,
    busy: f64,
    hang: f64,
    power_flap: f64,
    boot_fail: f64,
    silent_resets: f64,
    agent_silent: f64,
    wipe_fail: f64,
    wipe_cut: f64,
    stress_fail: f64,
    switch_hang: f64,
    switch_refuse: f64,
    drive_fail: f64,
    volume_refuse: f64,
    wrong_machine: Option<(String, String)>,
}

/// The text of `--faults` is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    #[error("`{0}` is not SEED:SPEC, such as 7:slow=0.1,drop=0.05")]
    Shape(String),
    #[error("`{0}` is not a seed: a whole number is needed")]
    Seed(String),
    #[error(
        "`{0}` is not a fault; there are slow, drop, 503, hang, power-flap, boot-fail, silent-resets, agent-silent, wipe-fail, wipe-cut, stress-fail, switch-hang, switch-refuse, drive-fail, volume-refuse (=PROBABILITY) and wrong-machine=NODE/NODE"
    )]
    Unknown(String),
    #[error("`{0}` needs a probability from 0 to 1")]
    Probability(String),
    #[error("`{0}` needs two different nodes: wrong-machine=NODE/NODE")]
    Pair(String),
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RequestFault {
    pub delay: Option<Duration>,
    pub failure: Option<Failure>,
}

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, ever.
    Hang,
    /// The connection closes and nothing was done.
    DropBefore,
    /// The connection closes after the request was carried out.
    DropAfter,
    /// 503 with Retry-After; nothing was done.
    Busy,
    /// Of a switch: its configuration is locked by somebody else; nothing was done.
    Refused,
}

impl Faults {
    /// Parses `7:slow=0.1,drop=0.05,503=0.1,hang=0.01,power-flap=0.02,boot-fail=0.1,wrong-machine=a/b`.
    pub fn parse(text: &str) -> Result<Faults, FaultsError> {
        let (seed, items) = text.split_once(':').ok_or_else(|| FaultsError::Shape(text.into()))?;
        let seed = seed.trim().parse().map_err(|_| FaultsError::Seed(seed.into()))?;
        let mut faults = Faults { seed, ..Faults::default() };
        for item in items.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            faults.take(item)?;
        }
        Ok(faults)
    }

    fn take(&mut self, item: &str) -> Result<(), FaultsError> {
        let (name, value) = item.split_once('=').ok_or_else(|| FaultsError::Unknown(item.into()))?;
        let slot = match name.trim() {
            "slow" => &mut self.slow,
            "drop" => &mut self.drop,
            "503" => &mut self.busy,
            "hang" => &mut self.hang,
            "power-flap" => &mut self.power_flap,
            "boot-fail" => &mut self.boot_fail,
            "silent-resets" => &mut self.silent_resets,
            "agent-silent" => &mut self.agent_silent,
            "wipe-fail" => &mut self.wipe_fail,
            "wipe-cut" => &mut self.wipe_cut,
            "stress-fail" => &mut self.stress_fail,
            "switch-hang" => &mut self.switch_hang,
            "switch-refuse" => &mut self.switch_refuse,
            "drive-fail" => &mut self.drive_fail,
            "volume-refuse" => &mut self.volume_refuse,
            "wrong-machine" => {
                self.wrong_machine = Some(pair(value).ok_or_else(|| FaultsError::Pair(item.into()))?);
                return Ok(());
            }
            _ => return Err(FaultsError::Unknown(item.into())),
        };
        *slot = probability(value).ok_or_else(|| FaultsError::Probability(item.into()))?;
        Ok(())
    }

    /// The two nodes whose BMC addresses are swapped.
    pub fn swapped(&self) -> Option<(&str, &str)> {
        self.wrong_machine.as_ref().map(|(a, b)| (a.as_str(), b.as_str()))
    }

    /// What happens to the `count`-th request to the BMC of `node`, or to the switch of that name.
    pub fn of_request(&self, node: &str, count: u64) -> RequestFault {
        let hit =
            |kind: &str, probability: f64| probability > 0.0 && self.draw(node, kind, count) < probability;
        let delay = hit("slow", self.slow)
            .then(|| Duration::from_secs_f64(0.2 + 1.8 * self.draw(node, "slow for", count)));
        let failure = if hit("hang", self.hang) {
            Some(Failure::Hang)
        } else if hit("drop", self.drop) {
            let before = self.draw(node, "drop when", count) < 0.5;
            Some(if before { Failure::DropBefore } else { Failure::DropAfter })
        } else if hit("503", self.busy) {
            Some(Failure::Busy)
        } else {
            None
        };
        RequestFault { delay, failure }
    }

    /// What happens to the `count`-th request to a switch, besides what happens to any request.
    pub fn of_switch(&self, switch: &str, count: u64, writes: bool) -> RequestFault {
        let hit =
            |kind: &str, probability: f64| probability > 0.0 && self.draw(switch, kind, count) < probability;
        let mut fault = self.of_request(switch, count);
        if hit("switch-hang", self.switch_hang) {
            fault.failure = Some(Failure::Hang);
        } else if writes && hit("switch-refuse", self.switch_refuse) {
            fault.failure = Some(Failure::Refused);
        }
        fault
    }

    /// How long after its `count`-th power-on `node` loses power, if it does.
    pub fn power_flap(&self, node: &str, count: u64) -> Option<Duration> {
        let hit = self.power_flap > 0.0 && self.draw(node, "power-flap", count) < self.power_flap;
        hit.then(|| Duration::from_secs_f64(0.05 + 0.45 * self.draw(node, "power-flap after", count)))
    }

    /// Whether the BMC of `node` says when its machine was last reset: older ones do not.
    pub fn shows_resets(&self, node: &str) -> bool {
        self.silent_resets == 0.0 || self.draw(node, "silent-resets", 0) >= self.silent_resets
    }

    /// Whether drive `number` of `node` is one that fails: critical, and its end predicted.
    pub fn drive_fails(&self, node: &str, number: u64) -> bool {
        self.drive_fail > 0.0 && self.draw(node, "drive-fail", number) < self.drive_fail
    }

    /// Whether the storage controller of `node` refuses the `count`-th volume that it is asked for.
    pub fn refuses_volume(&self, node: &str, count: u64) -> bool {
        self.volume_refuse > 0.0 && self.draw(node, "volume-refuse", count) < self.volume_refuse
    }

    /// Whether the `count`-th boot attempt of `node` fails in firmware.
    pub fn boot_fails(&self, node: &str, count: u64) -> bool {
        self.boot_fail > 0.0 && self.draw(node, "boot-fail", count) < self.boot_fail
    }

    /// Whether the agent that `node` boots never asks for an order.
    pub fn agent_silent(&self, node: &str, count: u64) -> bool {
        self.agent_silent > 0.0 && self.draw(node, "agent-silent", count) < self.agent_silent
    }

    /// Whether the disk of `node` fails in the middle of a wipe.
    pub fn wipe_fails(&self, node: &str, count: u64) -> bool {
        self.wipe_fail > 0.0 && self.draw(node, "wipe-fail", count) < self.wipe_fail
    }

    /// Whether `node` computes wrongly once in a burn-in.
    pub fn stress_fails(&self, node: &str, count: u64) -> bool {
        self.stress_fail > 0.0 && self.draw(node, "stress-fail", count) < self.stress_fail
    }

    /// Whether `node` loses its power in the middle of a wipe.
    pub fn wipe_cut(&self, node: &str, count: u64) -> bool {
        self.wipe_cut > 0.0 && self.draw(node, "wipe-cut", count) < self.wipe_cut
    }

    fn draw(&self, node: &str, kind: &str, count: u64) -> f64 {
        draw(self.seed, node, kind, count)
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (a, b) = text.split_once('/')?;
    let (a, b) = (a.trim(), b.trim());
    (!a.is_empty() && !b.is_empty() && a != b).then(|| (a.into(), b.into()))
}

fn probability(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number| (0.0..=1.0).contains(number))
}

/// A number from 0 up to 1, the same for the same arguments: FNV-1a over them, then a finalizer that
/// spreads neighbouring counters (FNV alone leaves them close together).
pub fn draw(seed: u64, node: &str, kind: &str, count: u64) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let parts = [&seed.to_le_bytes()[..], node.as_bytes(), &[0], kind.as_bytes(), &[0], &count.to_le_bytes()];
    for byte in parts.into_iter().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    // 53 bits: what a double holds exactly.
    (hash >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read() {
        let faults = Faults::parse(
            "7:slow=0.1,drop=0.05,503=0.1,hang=0.01,power-flap=0.02,boot-fail=1,silent-resets=1,agent-silent=1,wipe-fail=1,wipe-cut=0,stress-fail=1,drive-fail=1,volume-refuse=1,wrong-machine=a/b",
        )
        .unwrap();
        assert_eq!(faults.swapped(), Some(("a", "b")));
        assert!(faults.boot_fails("x", 0));
        assert!(!faults.shows_resets("x"));
        assert!(faults.agent_silent("x", 0) && faults.wipe_fails("x", 0) && !faults.wipe_cut("x", 0));
        assert!(faults.stress_fails("x", 0));
        assert!(faults.drive_fails("x", 1) && faults.refuses_volume("x", 0));
        assert!(!Faults::default().drive_fails("x", 1) && !Faults::default().refuses_volume("x", 0));
        assert_eq!(Faults::parse("7:").unwrap(), Faults { seed: 7, ..Faults::default() });
    }

    #[test]
    fn a_switch_that_refuses_still_answers_who_only_looks() {
        let faults = Faults::parse("1:switch-refuse=1").unwrap();
        assert_eq!(faults.of_switch("sw1", 0, true).failure, Some(Failure::Refused));
        assert_eq!(faults.of_switch("sw1", 0, false).failure, None);
        let faults = Faults::parse("1:switch-hang=1,switch-refuse=1").unwrap();
        assert_eq!(faults.of_switch("sw1", 0, true).failure, Some(Failure::Hang));
        assert_eq!(faults.of_request("n01", 0).failure, None);
    }

    #[test]
    fn errors_name_the_bad_item_and_the_known_ones() {
        for (text, named) in [
            ("slow=0.1", "SEED:SPEC"),
            ("x:slow=0.1", "`x`"),
            ("7:sloow=0.1", "`sloow=0.1`"),
            ("7:slow=2", "`slow=2`"),
            ("7:slow", "`slow`"),
            ("7:wrong-machine=a/a", "`wrong-machine=a/a`"),
        ] {
            let message = Faults::parse(text).unwrap_err().to_string();
            assert!(message.contains(named), "{text}: {message}");
        }
        assert!(Faults::parse("1:x=1").unwrap_err().to_string().contains("power-flap"));
    }

    #[test]
    fn the_same_seed_meets_the_same_faults_and_another_seed_others() {
        let faults =
            |seed: u64| Faults::parse(&format!("{seed}:slow=0.3,drop=0.2,503=0.2,hang=0.1")).unwrap();
        let course =
            |faults: &Faults| (0..200).map(|count| faults.of_request("n01", count)).collect::<Vec<_>>();
        assert_eq!(course(&faults(7)), course(&faults(7)));
        assert_ne!(course(&faults(7)), course(&faults(8)));
        let dropped = course(&faults(7))
            .iter()
            .filter(|fault| matches!(fault.failure, Some(Failure::DropBefore | Failure::DropAfter)))
            .count();
        assert!((15..60).contains(&dropped), "{dropped}");
    }
}
