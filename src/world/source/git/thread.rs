//! A thread for work that blocks, watched for signs of life.

use super::super::{Limits, SourceError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{oneshot, watch};

/// Threads that may work or hang at once. A service that polls a silent server for weeks gets no further.
const THREADS: usize = 16;

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// How the thread shows that it lives, and learns that nobody waits for it any more.
pub(super) struct Watched {
    beat: watch::Sender<u64>,
    given_up: Arc<AtomicBool>,
}

impl Watched {
    /// A sign of life. False when the work is wanted no longer.
    pub fn lives(&self) -> bool {
        self.beat.send_modify(|beats| *beats = beats.wrapping_add(1));
        !self.given_up.load(Ordering::Relaxed)
    }
}

/// Gives the thread up when whoever waits for it goes.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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

/// Does `work` on a thread of its own, and gives it up when it is silent for too long.
pub(super) async fn watched<T: Send + 'static>(
    uri: &str,
    limits: &Limits,
    work: impl FnOnce(&Watched) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let failed = |why: String| SourceError::Fetch { uri: uri.into(), why };
    let place = Place::take().ok_or_else(|| {
        failed(format!("{THREADS} earlier fetches still wait for servers that say nothing"))
    })?;
    let (beat, mut beats) = watch::channel(0);
    let (answer, mut answered) = oneshot::channel();
    let given_up = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting(given_up.clone());
    let body = move || {
        let _place = place;
        let _ = answer.send(work(&Watched { beat, given_up }));
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
