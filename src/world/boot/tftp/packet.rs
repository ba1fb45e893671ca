//! TFTP packets: requests with their options (RFC 2347, 2348, 2349, 7440), answers, errors. Text and bytes, no sockets.

use std::time::Duration;

/// Error codes of RFC 1350, 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    NotDefined = 0,
    NotFound = 1,
    AccessViolation = 2,
    IllegalOperation = 4,
}

/// A read request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadRequest {
    pub file: String,
    pub options: Options,
}

/// What the client asked for; `None` where it did not, or where its value is none that we may accept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Bytes, 8 to 65464.
    pub blksize: Option<u16>,
    pub tsize: bool,
    /// Seconds, 1 to 255.
    pub timeout: Option<u8>,
    /// Blocks, at most [`WINDOW_LIMIT`].
    pub windowsize: Option<u16>,
}

/// A larger window is answered with this one, which RFC 7440 allows: 64 blocks are enough to fill a link.
const WINDOW_LIMIT: u16 = 64;
const BLKSIZE_LIMIT: u16 = 65464;

/// What a client sends during a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FromClient {
    Ack(u16),
    Error,
    Other,
}

impl Options {
    pub fn block_bytes(&self) -> usize {
        usize::from(self.blksize.unwrap_or(512))
    }

    pub fn window_blocks(&self) -> usize {
        usize::from(self.windowsize.unwrap_or(1))
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(1).into())
    }

    /// The OACK that accepts them, or `None` when there is nothing to accept.
    pub fn acknowledgement(&self, file_bytes: u64) -> Option<Vec<u8>> {
        let mut packet = vec![0, 6];
        let mut add = |name: &str, value: String| {
            packet.extend_from_slice(name.as_bytes());
            packet.push(0);
            packet.extend_from_slice(value.as_bytes());
            packet.push(0);
        };
        if let Some(bytes) = self.blksize {
            add("blksize", bytes.to_string());
        }
        if self.tsize {
            add("tsize", file_bytes.to_string());
        }
        if let Some(seconds) = self.timeout {
            add("timeout", seconds.to_string());
        }
        if let Some(blocks) = self.windowsize {
            add("windowsize", blocks.to_string());
        }
        (packet.len() > 2).then_some(packet)
    }
}

/// Reads the first packet of a client; the error is the answer that it gets.
pub(super) fn request(packet: &[u8]) -> Result<ReadRequest, (Code, &'static str)> {
    let body = match packet {
        [0, 1, body @ ..] => body,
        [0, 2, ..] => return Err((Code::AccessViolation, "this server is read-only")),
        _ => return Err((Code::IllegalOperation, "a read request was expected")),
    };
    let Some(body) = body.strip_suffix(&[0]) else {
        return Err((Code::IllegalOperation, "the request is cut off"));
    };
    let mut fields = body.split(|byte| *byte == 0).map(|field| std::str::from_utf8(field).ok());
    let (Some(Some(file)), Some(Some(mode))) = (fields.next(), fields.next()) else {
        return Err((Code::IllegalOperation, "the request has no file name or no mode"));
    };
    if !mode.eq_ignore_ascii_case("octet") {
        return Err((Code::IllegalOperation, "only mode octet is served"));
    }
    let mut options = Options::default();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        if let (Some(name), Some(value)) = (name, value) {
            options.take(&name.to_ascii_lowercase(), value);
        }
    }
    Ok(ReadRequest { file: file.to_string(), options })
}

impl Options {
    /// Unknown options and values out of range are left out of the answer, which the client must accept (RFC 2347).
    fn take(&mut self, name: &str, value: &str) {
        let number = value.parse::<u64>().ok();
        match (name, number) {
            ("blksize", Some(bytes @ 8..)) => {
                self.blksize =
                    Some(u16::try_from(bytes).map_or(BLKSIZE_LIMIT, |bytes| bytes.min(BLKSIZE_LIMIT)));
            }
            ("tsize", Some(_)) => self.tsize = true,
            ("timeout", Some(seconds @ 1..)) => self.timeout = u8::try_from(seconds).ok(),
            ("windowsize", Some(blocks @ 1..)) => {
                self.windowsize =
                    Some(u16::try_from(blocks).map_or(WINDOW_LIMIT, |blocks| blocks.min(WINDOW_LIMIT)));
            }
            _ => {}
        }
    }
}

pub(super) fn from_client(packet: &[u8]) -> FromClient {
    match packet {
        [0, 4, high, low, ..] => FromClient::Ack(u16::from_be_bytes([*high, *low])),
        [0, 5, ..] => FromClient::Error,
        _ => FromClient::Other,
    }
}

/// A DATA packet; block numbers start again at 0 after 65535.
pub(super) fn data(block: u16, content: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(4 + content.len());
    packet.extend_from_slice(&[0, 3]);
    packet.extend_from_slice(&block.to_be_bytes());
    packet.extend_from_slice(content);
    packet
}

pub(super) fn error(code: Code, message: &str) -> Vec<u8> {
    let mut packet = vec![0, 5, 0, code as u8];
    packet.extend_from_slice(message.as_bytes());
    packet.push(0);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_options() {
        let packet = b"\0\x01snponly.efi\0octet\0BLKSIZE\x001468\0tsize\x000\0windowsize\x0016\0timeout\x003\0odd\0x\0";
        let request = request(packet).unwrap();
        assert_eq!(request.file, "snponly.efi");
        let wanted = Options { blksize: Some(1468), tsize: true, timeout: Some(3), windowsize: Some(16) };
        assert_eq!(request.options, wanted);
        let oack = wanted.acknowledgement(99).unwrap();
        assert_eq!(oack, b"\0\x06blksize\x001468\0tsize\x0099\0timeout\x003\0windowsize\x0016\0");
        assert_eq!(Options::default().acknowledgement(99), None);
    }

    #[test]
    fn values_are_bounded() {
        let read = |text: &str| request(format!("\0\x01f\0octet\0{text}\0").as_bytes()).unwrap().options;
        assert_eq!(read("blksize\x0099999999").blksize, Some(65464));
        assert_eq!(read("blksize\x007").blksize, None);
        assert_eq!(read("windowsize\x0065535").windowsize, Some(64));
        assert_eq!(read("windowsize\x000").windowsize, None);
        assert_eq!(read("timeout\x00256").timeout, None);
        assert_eq!(read("timeout\x00-1").timeout, None);
        assert_eq!(read("blksize"), Options::default());
    }

    #[test]
    fn malformed_requests_get_an_error() {
        for (packet, code) in [
            (&b""[..], Code::IllegalOperation),
            (b"\0", Code::IllegalOperation),
            (b"\0\x01", Code::IllegalOperation),
            (b"\0\x01f\0", Code::IllegalOperation),
            (b"\0\x01f\0octet", Code::IllegalOperation),
            (b"\0\x01f\0netascii\0", Code::IllegalOperation),
            (b"\0\x01\xff\xfe\0octet\0", Code::IllegalOperation),
            (b"\0\x02f\0octet\0", Code::AccessViolation),
            (b"\0\x03\0\x01x", Code::IllegalOperation),
        ] {
            assert_eq!(request(packet).unwrap_err().0, code, "{packet:?}");
        }
        assert_eq!(from_client(b"\0\x04\x01\x02"), FromClient::Ack(0x102));
        assert_eq!(from_client(b"\0\x04\x01"), FromClient::Other);
        assert_eq!(from_client(b"\0\x05"), FromClient::Error);
    }
}
