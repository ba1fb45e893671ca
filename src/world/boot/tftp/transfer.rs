//! One TFTP transfer: a window of blocks on the way, sent again on silence, over in bounded time and memory.
//!
//! Each transfer has its own socket and task, so a slow machine delays nobody (RFC 1350, 4).

use super::packet::{FromClient, Options, data, from_client};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// So many times in a row the same window is sent without an answer.
const ATTEMPTS: u32 = 6;
/// No transfer is longer: a boot program is a few megabytes.
const TRANSFER_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    /// The client sent an error; with `tsize` that is how it asks for a size only.
    Refused,
    /// The client fell silent.
    Silent,
}

/// Sends `file`, of `file_bytes`, over `socket`, which is connected to the client.
pub(super) async fn send(
    socket: &UdpSocket,
    file: File,
    file_bytes: u64,
    options: &Options,
) -> io::Result<End> {
    let sent = async {
        let mut sender = Sender { socket, options, file, ended: false, first: 1, window: VecDeque::new() };
        if let Some(oack) = options.acknowledgement(file_bytes) {
            match sender.greet(&oack).await? {
                End::Complete => {}
                other => return Ok(other),
            }
        }
        sender.run().await
    };
    timeout(TRANSFER_LIMIT, sent).await.unwrap_or(Ok(End::Silent))
}

struct Sender<'a> {
    socket: &'a UdpSocket,
    options: &'a Options,
    file: File,
    /// The last block, shorter than the block size, is in the window or has been acknowledged.
    ended: bool,
    /// The number of the first block in the window, counted without wrapping.
    first: u64,
    window: VecDeque<Vec<u8>>,
}

impl Sender<'_> {
    /// Sends the OACK until block 0 is acknowledged. `Complete` means: go on.
    async fn greet(&mut self, oack: &[u8]) -> io::Result<End> {
        for _ in 0..ATTEMPTS {
            self.socket.send(oack).await?;
            match self.wait(|block| block == 0).await? {
                Heard::Ack(_) => return Ok(End::Complete),
                Heard::Error => return Ok(End::Refused),
                Heard::Nothing => {}
            }
        }
        Ok(End::Silent)
    }

    async fn run(&mut self) -> io::Result<End> {
        let mut silences = 0;
        self.fill().await?;
        self.send_from(0).await?;
        while !self.window.is_empty() {
            let (first, length) = (self.first, self.window.len() as u64);
            // An acknowledgement of the block before the window asks for the window again (RFC 7440, 4).
            match self.wait(|block| position(block, first) <= length).await? {
                Heard::Error => return Ok(End::Refused),
                Heard::Nothing => {
                    silences += 1;
                    if silences == ATTEMPTS {
                        return Ok(End::Silent);
                    }
                    self.send_from(0).await?;
                }
                Heard::Ack(block) => {
                    let acknowledged = position(block, first) as usize;
                    // With a window of one, a repeated acknowledgement is a duplicate and must not be answered: each
                    // answer would double from there on. A larger window is sent again on silence.
                    if acknowledged == 0 {
                        continue;
                    }
                    silences = 0;
                    self.window.drain(..acknowledged);
                    self.first += acknowledged as u64;
                    self.fill().await?;
                    self.send_from(0).await?;
                }
            }
        }
        Ok(End::Complete)
    }

    /// Reads blocks until the window is full or the file has ended.
    async fn fill(&mut self) -> io::Result<()> {
        let block_bytes = self.options.block_bytes();
        while !self.ended && self.window.len() < self.options.window_blocks() {
            let mut block = Vec::with_capacity(block_bytes);
            let mut part = (&mut self.file).take(block_bytes as u64);
            part.read_to_end(&mut block).await?;
            self.ended = block.len() < block_bytes;
            self.window.push_back(block);
        }
        Ok(())
    }

    async fn send_from(&self, index: usize) -> io::Result<()> {
        for (offset, block) in self.window.iter().enumerate().skip(index) {
            self.socket.send(&data(wrapped(self.first + offset as u64), block)).await?;
        }
        Ok(())
    }

    /// Waits for an acknowledgement that `fits`; others are ignored, and do not stretch the time.
    async fn wait(&self, fits: impl Fn(u16) -> bool) -> io::Result<Heard> {
        let heard = async {
            let mut buffer = [0u8; 512];
            loop {
                let length = self.socket.recv(&mut buffer).await?;
                match from_client(&buffer[..length]) {
                    FromClient::Ack(block) if fits(block) => return Ok(Heard::Ack(block)),
                    FromClient::Error => return Ok(Heard::Error),
                    _ => {}
                }
            }
        };
        timeout(self.options.timeout(), heard).await.unwrap_or(Ok(Heard::Nothing))
    }
}

enum Heard {
    Ack(u16),
    Error,
    Nothing,
}

/// How many blocks of a window that starts with block `first` an acknowledgement of `block` covers.
fn position(block: u16, first: u64) -> u64 {
    u64::from(block.wrapping_sub(wrapped(first)).wrapping_add(1))
}

fn wrapped(block: u64) -> u16 {
    (block % 65536) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_are_placed_in_the_window() {
        assert_eq!(position(0, 1), 0);
        assert_eq!(position(1, 1), 1);
        assert_eq!(position(4, 1), 4);
        assert_eq!(position(0, 65535), 2);
        assert_eq!(position(65535, 65536), 0);
        assert!(position(0, 5) > 64);
    }
}
