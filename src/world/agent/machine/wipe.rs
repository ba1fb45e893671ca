//! Wiping one disk: look, write, read all of it back.
//!
//! Looking and reading back go through the device, not through what the kernel remembers of it. A disk that holds nothing but
//! zeros is never written.

use super::super::inventory::Wiped;
use super::super::message::Method;
use super::disks::Found;
use super::{MachineError, Progress};
use nix::fcntl::{FallocateFlags, OFlag, PosixFadviseAdvice, fallocate, posix_fadvise};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

/// Large enough for the speed of a disk, small enough to stop within a moment.
const CHUNK_BYTES: usize = 4 << 20;

/// Wipes disks, so many at the same time; the answers are in their order. When one cannot be wiped the others are let go: the
/// order has failed, and whoever gives it again finds empty what was done.
pub fn all(
    open: Vec<Open>,
    at_once: usize,
    method: Method,
    progress: &Progress,
) -> Result<Vec<Wiped>, MachineError> {
    let threads = open.len().min(at_once);
    let left = Mutex::new(open.into_iter().enumerate());
    let (done, failed) = (Mutex::new(Vec::new()), Mutex::new(None));
    std::thread::scope(|scope| {
        let one = || {
            while let Some((index, mut disk)) = lock(&left).next() {
                match disk.wipe(method, progress) {
                    Ok(wiped) => lock(&done).push((index, wiped)),
                    Err(error) => {
                        lock(&failed).get_or_insert(error);
                        progress.stop.store(true, Ordering::Relaxed);
                        return;
                    }
                }
            }
        };
        for _ in 0..threads {
            scope.spawn(one);
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, wiped)| wiped).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk that is opened for writing, and for nobody else as far as the kernel can tell.
pub struct Open {
    id: String,
    file: File,
    pub bytes: u64,
}

impl Open {
    pub fn new(found: &Found) -> Result<Open, MachineError> {
        let id = found.disk.id.clone();
        let failed = |what| {
            let disk = id.clone();
            move |source| MachineError::Io { disk, what, source }
        };
        // open(2): of a block device O_EXCL without O_CREAT fails when the system uses it.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_EXCL.bits())
            .open(&found.path)
            .map_err(failed("cannot be opened"))?;
        let bytes = file.seek(SeekFrom::End(0)).map_err(failed("does not say how large it is"))?;
        if bytes == 0 {
            return Err(MachineError::Empty { disk: id });
        }
        Ok(Open { id, file, bytes })
    }

    /// Leaves nothing but zeros, and sees that it is so.
    pub fn wipe(&mut self, method: Method, progress: &Progress) -> Result<Wiped, MachineError> {
        let was_empty = self.other_than_zero(|_| progress.add(0))?.is_none();
        match was_empty {
            true => progress.add(self.bytes.saturating_mul(2))?,
            false => {
                match method {
                    Method::Zero => self.write_zeros(progress)?,
                    Method::Discard => self.discard(progress)?,
                }
                self.file.sync_all().map_err(self.failed("cannot be written"))?;
                if let Some(at) = self.other_than_zero(|bytes| progress.add(bytes))? {
                    return Err(MachineError::NotZero { disk: self.id.clone(), at });
                }
            }
        }
        Ok(Wiped {
            disk: self.id.clone(),
            method: method.word().into(),
            bytes: self.bytes,
            was_empty,
            read_back: self.bytes,
        })
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(io::Error) -> MachineError + use<> {
        let disk = self.id.clone();
        move |source| MachineError::Io { disk, what, source }
    }

    /// Reads the disk up to the first chunk with another byte than zero: where that chunk ends.
    fn other_than_zero(
        &mut self,
        read: impl Fn(u64) -> Result<(), MachineError>,
    ) -> Result<Option<u64>, MachineError> {
        // What the kernel remembers of the disk would be read in its place.
        posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
            .map_err(|error| self.failed("cannot be read anew")(error.into()))?;
        self.file.seek(SeekFrom::Start(0)).map_err(self.failed("cannot be read"))?;
        let mut chunk = vec![0u8; CHUNK_BYTES];
        let mut at = 0u64;
        while at < self.bytes {
            let count = self.file.read(&mut chunk).map_err(self.failed("cannot be read"))?;
            if count == 0 {
                let end = io::Error::new(io::ErrorKind::UnexpectedEof, "it ends early");
                return Err(self.failed("cannot be read")(end));
            }
            at += count as u64;
            read(count as u64)?;
            if chunk[..count].iter().any(|byte| *byte != 0) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn write_zeros(&mut self, progress: &Progress) -> Result<(), MachineError> {
        self.file.seek(SeekFrom::Start(0)).map_err(self.failed("cannot be written"))?;
        let zeros = vec![0u8; CHUNK_BYTES];
        let mut left = self.bytes;
        while left > 0 {
            let count = left.min(CHUNK_BYTES as u64);
            let piece = usize::try_from(count).unwrap_or(CHUNK_BYTES);
            self.file.write_all(&zeros[..piece]).map_err(self.failed("cannot be written"))?;
            left -= count;
            progress.add(count)?;
        }
        Ok(())
    }

    /// fallocate(2), `FALLOC_FL_PUNCH_HOLE`: of a block device the kernel does it only where it reads back as zeros then.
    fn discard(&self, progress: &Progress) -> Result<(), MachineError> {
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let no_discard = |error: io::Error| MachineError::NoDiscard(self.id.clone(), error);
        let length = i64::try_from(self.bytes).map_err(|error| no_discard(io::Error::other(error)))?;
        fallocate(&self.file, flags, 0, length).map_err(|error| no_discard(error.into()))?;
        progress.add(self.bytes)
    }
}
