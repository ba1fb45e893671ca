//! Burn-in: every processor computes the same thing again and again, and memory is written and read back, for a given time.
//!
//! A result that differs from the first is a fault of the hardware. What the memory controllers themselves corrected or could
//! not correct meanwhile is counted, where the kernel knows them (EDAC). Judges nothing: limits are the script's.

use super::super::inventory::Stressed;
use super::{MachineError, Progress, names, text};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What one thread computes on between two looks at the time.
const BLOCK_BYTES: usize = 1 << 20;
/// Memory is taken in pieces, so that what cannot be had ends the taking and not the agent.
const PIECE_WORDS: usize = (16 << 20) / 8;
/// More threads than any machine of today.
const THREADS: usize = 4096;
/// Written in turn: all bits both ways, and neighbours that differ.
const PATTERNS: [u64; 4] = [0, u64::MAX, 0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa];

/// Counts of all threads together.
#[derive(Default)]
struct Counts {
    rounds: AtomicU64,
    faults: AtomicU64,
    memory_bytes: AtomicU64,
}

/// Keeps the machine below `root` busy for `time`, with so many percent of the memory that is free now.
pub fn stress(
    root: &Path,
    time: Duration,
    memory_percent: u64,
    now: fn() -> Duration,
    progress: &Progress,
) -> Result<Stressed, MachineError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let memory = available_bytes(root) / 100 * memory_percent.min(95);
    let share = usize::try_from(memory).unwrap_or(usize::MAX) / threads;
    let (counts, before) = (Counts::default(), errors(root));
    let began = now();
    let until = began.saturating_add(time);
    progress.of.store(millis(time), Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| keep_busy(share, until, now, progress, &counts));
        }
        while now() < until && !progress.stop.load(Ordering::Relaxed) {
            progress.done.store(millis(now().saturating_sub(began)), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(100).min(until.saturating_sub(now())));
        }
    });
    progress.add(0)?;
    let after = errors(root);
    let more = |index: usize| Some(after?[index].saturating_sub(before?[index]));
    Ok(Stressed {
        seconds: now().saturating_sub(began).as_secs(),
        threads: threads as u64,
        memory_mib: counts.memory_bytes.load(Ordering::Relaxed) >> 20,
        rounds: counts.rounds.load(Ordering::Relaxed),
        faults: counts.faults.load(Ordering::Relaxed),
        corrected: more(0),
        uncorrected: more(1),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One thread: computes, then fills its memory and reads it back.
fn keep_busy(share: usize, until: Duration, now: fn() -> Duration, progress: &Progress, counts: &Counts) {
    let block: Vec<u8> = (0..BLOCK_BYTES).map(|index| (index % 251) as u8).collect();
    let right = blake3::hash(&block);
    let mut memory = taken(share);
    let bytes: usize = memory.iter().map(|piece| piece.len() * 8).sum();
    counts.memory_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    let is_over = || now() >= until || progress.stop.load(Ordering::Relaxed);
    for pattern in PATTERNS.into_iter().cycle() {
        for piece in &mut memory {
            piece.fill(std::hint::black_box(pattern));
            counts.faults.fetch_add(u64::from(blake3::hash(&block) != right), Ordering::Relaxed);
            if is_over() {
                return;
            }
        }
        for piece in &memory {
            let wrong = piece.iter().filter(|word| std::hint::black_box(**word) != pattern).count();
            counts.faults.fetch_add(wrong as u64, Ordering::Relaxed);
        }
        counts.faults.fetch_add(u64::from(blake3::hash(&block) != right), Ordering::Relaxed);
        counts.rounds.fetch_add(1, Ordering::Relaxed);
        if is_over() {
            return;
        }
    }
}

/// So many bytes in pieces, or as many as there are to be had.
fn taken(bytes: usize) -> Vec<Vec<u64>> {
    let mut pieces = Vec::new();
    for _ in 0..bytes / (PIECE_WORDS * 8) {
        let mut piece: Vec<u64> = Vec::new();
        if piece.try_reserve_exact(PIECE_WORDS).is_err() {
            break;
        }
        piece.resize(PIECE_WORDS, 0);
        pieces.push(piece);
    }
    pieces
}

/// proc(5), `/proc/meminfo`: `MemAvailable`, in KiB there.
fn available_bytes(root: &Path) -> u64 {
    let info = text(&root.join("proc/meminfo")).unwrap_or_default();
    let available = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = available.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default().saturating_mul(1024)
}

/// Corrected and uncorrected errors of all memory controllers; `None` where the kernel watches none.
fn errors(root: &Path) -> Option<[u64; 2]> {
    let folder = root.join("sys/devices/system/edac/mc");
    let controllers = names(&folder).into_iter().filter(|name| name.starts_with("mc"));
    let counts = controllers.filter_map(|name| {
        let count = |file: &str| text(&folder.join(&name).join(file))?.parse::<u64>().ok();
        Some([count("ce_count")?, count("ue_count")?])
    });
    counts.reduce(|all, one| [all[0].saturating_add(one[0]), all[1].saturating_add(one[1])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::clock::uptime as now;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_machine_is_kept_busy_for_a_while_and_its_errors_are_counted() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "proc/meminfo", "MemTotal: 1 kB\nMemAvailable:   262144 kB\n");
        let time = Duration::from_millis(200);
        let progress = Progress::default();
        let stressed = stress(root.path(), time, 50, now, &progress).unwrap();
        assert!(stressed.threads >= 1 && stressed.memory_mib <= 128, "{stressed:?}");
        assert_eq!((stressed.faults, stressed.corrected, stressed.uncorrected), (0, None, None));
        assert_eq!(progress.of.load(Ordering::Relaxed), 200);

        write(root.path(), "sys/devices/system/edac/mc/mc0/ce_count", "3");
        write(root.path(), "sys/devices/system/edac/mc/mc0/ue_count", "1");
        write(root.path(), "sys/devices/system/edac/mc/mc1/ce_count", "4");
        write(root.path(), "sys/devices/system/edac/mc/mc1/ue_count", "0");
        assert_eq!(errors(root.path()), Some([7, 1]));
        let stressed = stress(root.path(), Duration::ZERO, 0, now, &Progress::default()).unwrap();
        assert_eq!((stressed.corrected, stressed.uncorrected, stressed.memory_mib), (Some(0), Some(0), 0));
    }

    #[test]
    fn a_burn_in_that_is_taken_back_stops_at_once() {
        let root = tempfile::tempdir().unwrap();
        let progress = Progress::default();
        progress.stop.store(true, Ordering::Relaxed);
        let stressed = stress(root.path(), Duration::from_secs(3600), 0, now, &progress);
        assert!(matches!(stressed, Err(MachineError::Stopped)));
    }

    #[test]
    fn memory_that_is_not_to_be_had_is_not_taken() {
        assert_eq!(taken(PIECE_WORDS * 8 * 2 + 1).len(), 2);
        assert!(taken(0).is_empty());
    }
}
