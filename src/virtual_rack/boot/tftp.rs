//! The TFTP client of the firmware (RFC 1350) with options (RFC 2347): blksize (RFC 2348), tsize (RFC 2349)
//! and windowsize (RFC 7440).
//!
//! Owns one read transfer. Keeps only the beginning of the file: a boot program is told by its first bytes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// What a PXE ROM can receive in one Ethernet frame.
const BLOCK_BYTES: usize = 1468;
const WINDOW_BLOCKS: u16 = 8;
/// The largest boot program that firmware has room for.
const LARGEST_BYTES: u64 = 64 << 20;
const KEPT_BYTES: usize = 4096;
const FIRST_PATIENCE: Duration = Duration::from_millis(250);
const LONGEST_PATIENCE: Duration = Duration::from_secs(2);
/// Silences in a row before the transfer fails.
const SILENCES: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub enum TftpError {
    #[error("TFTP: {0}")]
    Io(#[from] io::Error),
    #[error("TFTP: the server refuses with code {0}: {1}")]
    Refused(u16, String),
    #[error("TFTP: the server is silent")]
    Silent,
    #[error("TFTP: the server breaks the protocol: {0}")]
    Protocol(&'static str),
    #[error("TFTP: the file is larger than 64 MiB")]
    TooLarge,
}

/// A file as far as firmware looks at it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The first 4096 bytes.
    pub head: Vec<u8>,
    pub bytes: u64,
}

/// Reads `file` from `server`, binary.
pub async fn read(server: SocketAddr, file: &str) -> Result<Fetched, TftpError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut transfer = Transfer::new(file);
    let mut buffer = vec![0u8; BLOCK_BYTES + 4];
    let (mut peer, mut silences) = (None, 0);
    socket.send_to(&transfer.say, server).await?;
    loop {
        let patience = FIRST_PATIENCE.saturating_mul(1 << silences.min(8)).min(LONGEST_PATIENCE);
        let Ok(received) = tokio::time::timeout(patience, socket.recv_from(&mut buffer)).await else {
            silences += 1;
            if silences == SILENCES {
                return Err(TftpError::Silent);
            }
            socket.send_to(&transfer.say, peer.unwrap_or(server)).await?;
            continue;
        };
        let (count, from) = received?;
        // RFC 1350 section 4: the first answer fixes the port of the transfer; others are strangers.
        if *peer.get_or_insert(from) != from {
            continue;
        }
        let step = transfer.take(&buffer[..count])?;
        if step != Step::Wait {
            silences = 0;
            socket.send_to(&transfer.say, from).await?;
        }
        if step == Step::Done {
            return Ok(transfer.fetched);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Nothing to say yet.
    Wait,
    /// Say `say`.
    Say,
    /// Say `say`, and the file is complete.
    Done,
}

/// The client's side of a transfer, without its socket.
struct Transfer {
    /// What to send now, and again after a silence.
    say: Vec<u8>,
    block_bytes: usize,
    window: u16,
    /// The last block that came in its order, modulo 65536 (blocks of large files wrap).
    last: u16,
    unacknowledged: u16,
    started: bool,
    expected: Option<u64>,
    fetched: Fetched,
}

impl Transfer {
    fn new(file: &str) -> Transfer {
        let (block, window) = (BLOCK_BYTES.to_string(), WINDOW_BLOCKS.to_string());
        let mut say = vec![0, 1];
        for text in [file, "octet", "blksize", &block, "tsize", "0", "windowsize", &window] {
            say.extend_from_slice(text.as_bytes());
            say.push(0);
        }
        Transfer {
            say,
            block_bytes: 512,
            window: 1,
            last: 0,
            unacknowledged: 0,
            started: false,
            expected: None,
            fetched: Fetched { head: Vec::new(), bytes: 0 },
        }
    }

    fn take(&mut self, packet: &[u8]) -> Result<Step, TftpError> {
        let (kind, rest) = match packet {
            [0, kind, rest @ ..] if rest.len() >= 2 => (*kind, rest),
            _ => return Err(TftpError::Protocol("a packet is too short")),
        };
        match kind {
            3 => self.data(u16::from_be_bytes([rest[0], rest[1]]), &rest[2..]),
            5 => {
                let text = String::from_utf8_lossy(&rest[2..]).trim_end_matches('\0').to_string();
                Err(TftpError::Refused(u16::from_be_bytes([rest[0], rest[1]]), text))
            }
            6 if self.started => Ok(Step::Wait),
            6 => self.options(rest),
            _ => Err(TftpError::Protocol("a packet of an unknown kind")),
        }
    }

    fn options(&mut self, rest: &[u8]) -> Result<Step, TftpError> {
        let text = String::from_utf8_lossy(rest);
        let mut words = text.split_terminator('\0');
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            let wrong = || TftpError::Protocol("an option has a wrong value");
            let number: u64 = value.parse().map_err(|_| wrong())?;
            match name.to_ascii_lowercase().as_str() {
                "blksize" if (8..=BLOCK_BYTES as u64).contains(&number) => self.block_bytes = number as usize,
                "windowsize" if (1..=u64::from(WINDOW_BLOCKS)).contains(&number) => {
                    self.window = number as u16
                }
                "tsize" if number <= LARGEST_BYTES => self.expected = Some(number),
                "tsize" => return Err(TftpError::TooLarge),
                _ => return Err(wrong()),
            }
        }
        Ok(self.acknowledge(Step::Say))
    }

    fn data(&mut self, block: u16, bytes: &[u8]) -> Result<Step, TftpError> {
        self.started = true;
        if block != self.last.wrapping_add(1) {
            // RFC 7440 section 4: out of order, so name the last block that was in order.
            return Ok(self.acknowledge(Step::Say));
        }
        if bytes.len() > self.block_bytes {
            return Err(TftpError::Protocol("a block is larger than agreed"));
        }
        self.last = block;
        self.unacknowledged += 1;
        self.fetched.bytes += bytes.len() as u64;
        let room = KEPT_BYTES.saturating_sub(self.fetched.head.len()).min(bytes.len());
        self.fetched.head.extend_from_slice(&bytes[..room]);
        if self.fetched.bytes > LARGEST_BYTES {
            return Err(TftpError::TooLarge);
        }
        if bytes.len() < self.block_bytes {
            return self.complete();
        }
        Ok(if self.unacknowledged >= self.window { self.acknowledge(Step::Say) } else { self.prepare() })
    }

    fn complete(&mut self) -> Result<Step, TftpError> {
        if self.expected.is_some_and(|expected| expected != self.fetched.bytes) {
            return Err(TftpError::Protocol("the file is not as long as announced"));
        }
        Ok(self.acknowledge(Step::Done))
    }

    fn acknowledge(&mut self, step: Step) -> Step {
        self.prepare();
        self.unacknowledged = 0;
        step
    }

    /// Makes the acknowledgement of the last block what a silence repeats.
    fn prepare(&mut self) -> Step {
        self.say = [&[0, 4][..], &self.last.to_be_bytes()].concat();
        Step::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(block: u16, bytes: &[u8]) -> Vec<u8> {
        [&[0, 3][..], &block.to_be_bytes(), bytes].concat()
    }

    #[test]
    fn a_window_is_acknowledged_at_its_end_and_after_a_gap() {
        let mut transfer = Transfer::new("x");
        let options = b"\0\x06blksize\x008\0windowsize\x002\0tsize\x0020\0";
        assert_eq!(transfer.take(options).unwrap(), Step::Say);
        assert_eq!(transfer.say, [0, 4, 0, 0]);
        assert_eq!(transfer.take(&data(1, b"12345678")).unwrap(), Step::Wait);
        assert_eq!(transfer.take(&data(3, b"12345678")).unwrap(), Step::Say);
        assert_eq!(transfer.say, [0, 4, 0, 1]);
        assert_eq!(transfer.take(&data(2, b"abcdefgh")).unwrap(), Step::Wait);
        assert_eq!(transfer.take(&data(3, b"ijkl")).unwrap(), Step::Done);
        assert_eq!(transfer.fetched, Fetched { head: b"12345678abcdefghijkl".to_vec(), bytes: 20 });
    }

    #[test]
    fn a_server_without_options_and_one_that_refuses() {
        let mut plain = Transfer::new("x");
        assert_eq!(plain.take(&data(1, b"short")).unwrap(), Step::Done);
        let refusal = Transfer::new("x").take(b"\0\x05\0\x01no such file\0").unwrap_err();
        assert_eq!(refusal.to_string(), "TFTP: the server refuses with code 1: no such file");
        assert!(Transfer::new("x").take(b"\0").is_err());
    }
}
