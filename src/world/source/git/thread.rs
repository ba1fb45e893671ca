//! A thread for work that blocks, watched for signs of life; and the lock under which it works.
//!
//! The lock is the thread's own: whoever waits may go at any moment, and the thread goes on until it notices. Only while it
//! waits for a server, which may be for ever, the lock goes with whoever waited, because then the thread touches nothing any more.

use super::super::cache::Lock;
use super::super::{Limits, SourceError};
use super::Fault;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// Threads that may work or hang at once. A service that polls a silent server for weeks gets no further.
const THREADS: usize = 16;

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// How the thread shows that it lives, and learns that nobody waits for it any more.
pub(super) struct Watched {
    beat: watch::Sender<u64>,
    shared: Arc<Shared>,
}

impl Watched {
    /// One that nobody waits for.
    #[cfg(test)]
    pub fn given_up() -> Watched {
        let shared = Shared(Mutex::new(State { given_up: true, on_wire: false, lock: None }));
        Watched { beat: watch::channel(0).0, shared: Arc::new(shared) }
    }

    /// A sign of life. False when the work is wanted no longer.
    pub fn lives(&self) -> bool {
        self.beat.send_modify(|beats| *beats = beats.wrapping_add(1));
        !self.shared.state().given_up
    }

    /// The same, as an error that ends the work.
    pub fn must_live(&self) -> Result<(), Fault> {
        if self.lives() { Ok(()) } else { Err(gone()) }
    }

    /// Waits for a server. Nothing that the lock guards is changed by `work`, and nothing is after it when nobody waits any more.
    pub fn on_wire<T>(&self, work: impl FnOnce() -> T) -> Result<T, Fault> {
        self.is_on_wire(true)?;
        let done = work();
        self.is_on_wire(false)?;
        Ok(done)
    }

    fn is_on_wire(&self, is: bool) -> Result<(), Fault> {
        let mut state = self.shared.state();
        state.on_wire = is;
        if state.given_up { Err(gone()) } else { Ok(()) }
    }
}

fn gone() -> Fault {
    SourceError::Limit("nobody waits for it any more".into()).into()
}

/// What the thread and whoever waits for it know of each other.
struct Shared(Mutex<State>);

struct State {
    given_up: bool,
    on_wire: bool,
    lock: Option<Lock>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the thread up when whoever waits for it goes.
struct Waiting(Arc<Shared>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.given_up = true;
        if state.on_wire {
            state.lock = None;
        }
    }
}

/// One of the threads that there may be.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        let more = |under_way: usize| (under_way < THREADS).then_some(under_way + 1);
        UNDER_WAY.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Does `work` on a thread of its own, under the lock, and gives it up when it is silent for too long.
pub(super) async fn watched<T: Send + 'static>(
    uri: &str,
    limits: &Limits,
    lock: Option<Lock>,
    work: impl FnOnce(&Watched) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let place = Place::take().ok_or_else(|| {
        failed(format!("{THREADS} earlier fetches still wait for servers that say nothing"))
    })?;
    let (beat, mut beats) = watch::channel(0);
    let (answer, mut answered) = oneshot::channel();
    let shared = Arc::new(Shared(Mutex::new(State { given_up: false, on_wire: false, lock })));
    let _waiting = Waiting(shared.clone());
    let body = move || {
        let _place = place;
        let answered = work(&Watched { beat, shared: shared.clone() });
        // Before anybody hears of it: the next one may begin.
        shared.state().lock = None;
        let _ = answer.send(answered);
    };
    let thread = std::thread::Builder::new().name("git".into()).spawn(body);
    thread.map_err(|error| failed(format!("no thread can be started: {error}")))?;
    loop {
        let next = tokio::time::timeout(limits.idle, async {
            tokio::select! {
                biased;
                answer = &mut answered => Some(answer),
                Ok(()) = beats.changed() => None,
            }
        });
        match next.await {
            Ok(Some(Ok(answer))) => return answer,
            Ok(Some(Err(_))) => return Err(failed("git gave up on what the server sent".into())),
            Ok(None) => {}
            Err(_) => {
                return Err(SourceError::Silent { uri: uri.into(), seconds: limits.idle.as_secs() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::cache;
    use super::*;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    async fn is_free(mirror: &Path, within: Duration) -> bool {
        tokio::time::timeout(within, cache::lock(mirror)).await.is_ok()
    }

    /// Work that is given up in its middle, on the wire or not; then what `see` finds while it still hangs, and after it.
    fn given_up(on_wire: bool, while_it_hangs: bool) {
        let folder = tempfile::tempdir().unwrap();
        let mirror = folder.path().join("mirror");
        let limits = Limits { idle: Duration::from_millis(20), ..Limits::default() };
        let (go, wait) = mpsc::channel::<()>();
        let (say, said) = mpsc::channel();
        runtime().block_on(async {
            let lock = cache::lock(&mirror).await.unwrap();
            let work = move |watched: &Watched| {
                let hang = || wait.recv_timeout(PATIENCE).is_ok();
                let went_on = if on_wire { watched.on_wire(hang).is_ok() } else { hang() };
                say.send((went_on, watched.must_live().is_ok())).unwrap();
                Ok(())
            };
            let error = watched("u", &limits, Some(lock), work).await.unwrap_err();
            assert_eq!(error, SourceError::Silent { uri: "u".into(), seconds: 0 });
            let enough = if while_it_hangs { PATIENCE } else { Duration::from_millis(200) };
            assert_eq!(is_free(&mirror, enough).await, while_it_hangs);
            go.send(()).unwrap();
            // Off the wire it goes on to its next look; on it, nothing follows.
            assert_eq!(said.recv_timeout(PATIENCE), Ok((!on_wire, false)));
            assert!(is_free(&mirror, PATIENCE).await);
        });
    }

    #[test]
    fn a_thread_that_is_given_up_keeps_the_lock_until_it_ends() {
        given_up(false, false);
    }

    #[test]
    fn a_thread_that_hangs_at_a_server_holds_nothing() {
        given_up(true, true);
    }
}
