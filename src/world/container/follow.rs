//! A container on its way: what it says, until it has ended or its time is over; and what it leaves.

use super::archive::only_file;
use super::once::{Found, RESULT, name};
use super::{ContainerError, Engine};
use crate::units::Time;
use crate::world::program::{Ending, OUTPUT_BYTES, RESULT_BYTES, Stream};
use bollard::container::LogOutput;
use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, LogsOptionsBuilder};
use bytes::Bytes;
use futures::StreamExt;
use std::time::Duration;
use tokio::sync::mpsc;

/// After its output has ended, a container is seen to have ended within this.
const ENDS: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Engine {
    /// Follows the container of effect `id` from its first output on, and kills it when its time is over or when it
    /// writes more than a program may. What it writes goes to `sink`; a receiver that is gone is none of its business.
    pub async fn follow_container(
        &self,
        id: &str,
        now: fn() -> Time,
        sink: mpsc::Sender<(Stream, Bytes)>,
    ) -> Result<Ending, ContainerError> {
        // One that has ended while nobody was there had all the time that it took.
        let (until, has_ended) = match self.find_container(id).await? {
            Found::NotBegun => return Err(gone()),
            Found::Running { until } => (until, false),
            Found::Ended { until, .. } => (until, true),
        };
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
        let logs = self.docker.logs(&name(id), Some(options));
        tokio::pin!(logs);
        let (mut ending, mut length) = (None, 0);
        loop {
            // Of one that has ended, or was killed, what it had written still comes.
            let is_over = has_ended || ending.is_some();
            let left = if is_over { ENDS } else { until.since(now()) };
            // One that always has something to say would never be late otherwise.
            let next = match left.is_zero() {
                true => None,
                false => tokio::time::timeout(left, logs.next()).await.ok(),
            };
            match next {
                Some(Some(Ok(output))) => {
                    let Some((stream, bytes)) = written(output) else { continue };
                    length += bytes.len() as u64;
                    let _ = sink.send((stream, bytes)).await;
                    if length > OUTPUT_BYTES && ending.is_none() {
                        self.kill_container(id).await?;
                        ending = Some(Ending::WroteTooMuch);
                    }
                }
                Some(Some(Err(error))) => return Err(ContainerError::engine("follow the container", &error)),
                Some(None) => break,
                None if is_over => break,
                None => {
                    self.kill_container(id).await?;
                    ending = Some(Ending::TimedOut);
                }
            }
        }
        let ended = self.ended(id, until, now, ending.is_some()).await?;
        Ok(ending.unwrap_or(ended))
    }

    /// How it ended; a program may close its outputs long before that.
    async fn ended(
        &self,
        id: &str,
        until: Time,
        now: fn() -> Time,
        killed: bool,
    ) -> Result<Ending, ContainerError> {
        let (mut killed, mut last) = (killed, now().plus(ENDS));
        loop {
            match self.find_container(id).await? {
                Found::Ended { out_of_memory: true, .. } => return Ok(Ending::OutOfMemory),
                Found::Ended { code, .. } => {
                    return Ok(if killed && now() >= until {
                        Ending::TimedOut
                    } else {
                        Ending::Exited { code }
                    });
                }
                Found::NotBegun => return Err(gone()),
                Found::Running { .. } if !killed && now() >= until => {
                    self.kill_container(id).await?;
                    (killed, last) = (true, now().plus(ENDS));
                }
                Found::Running { .. } if killed && now() >= last => {
                    let why = "it does not end".to_string();
                    return Err(ContainerError::Engine { doing: "kill the container", why, transient: true });
                }
                Found::Running { .. } => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// What the container wrote into its result file; empty when it wrote nothing.
    pub async fn container_result(&self, id: &str) -> Result<Vec<u8>, ContainerError> {
        let options = DownloadFromContainerOptionsBuilder::default().path(RESULT).build();
        let name = name(id);
        let parts = self.docker.download_from_container(&name, Some(options));
        tokio::pin!(parts);
        let mut archive = Vec::new();
        while let Some(part) = parts.next().await {
            archive
                .extend_from_slice(&part.map_err(|error| ContainerError::engine("read the result", &error))?);
            if archive.len() as u64 > 2 * RESULT_BYTES {
                let why = format!("it has more than {RESULT_BYTES} bytes");
                return Err(ContainerError::Engine { doing: "read the result", why, transient: false });
            }
        }
        Ok(only_file(&archive, RESULT_BYTES).unwrap_or_default())
    }
}

fn gone() -> ContainerError {
    let why = "somebody removed it".to_string();
    ContainerError::Engine { doing: "follow the container", why, transient: false }
}

fn written(output: LogOutput) -> Option<(Stream, Bytes)> {
    match output {
        LogOutput::StdOut { message } | LogOutput::Console { message } => Some((Stream::Out, message)),
        LogOutput::StdErr { message } => Some((Stream::Err, message)),
        LogOutput::StdIn { .. } => None,
    }
}
