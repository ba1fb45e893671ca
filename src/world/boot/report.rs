//! Reports: what an agent and an installed system tell us. The JSON is closed and bounded; what a report means is not
//! decided here.

use crate::units::Mac;
use serde::{Deserialize, Serialize};

/// A larger body is refused unread.
pub(super) const REPORT_LIMIT_BYTES: usize = 64 << 10;
const TEXT_LIMIT_BYTES: usize = 4096;
const LIST_LIMIT: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Report {
    /// The agent has written and verified the image.
    Installed { image: ReportedImage, identity: Identity },
    /// The agent gives up.
    Failed { why: String },
    /// An installed system has started.
    Booted { image: ReportedImage, boot_id: String, kernel_params: Vec<String>, identity: Identity },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedImage {
    pub name: String,
    /// `sha256:HEX` of what is on the disk.
    pub checksum: String,
}

/// What the machine says that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    #[serde(default)]
    pub uuid: Option<String>,
    #[serde(default)]
    pub serial: Option<String>,
    #[serde(default)]
    pub macs: Vec<Mac>,
}

/// Reads a report; the error says what is wrong with it.
pub(super) fn parse(body: &[u8]) -> Result<Report, String> {
    let report: Report = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let (texts, lists) = parts(&report);
    if let Some(text) = texts.iter().find(|text| text.len() > TEXT_LIMIT_BYTES) {
        return Err(format!("a text of {} bytes is longer than {TEXT_LIMIT_BYTES}", text.len()));
    }
    if let Some(length) = lists.iter().find(|length| **length > LIST_LIMIT) {
        return Err(format!("a list of {length} items is longer than {LIST_LIMIT}"));
    }
    Ok(report)
}

/// Every text and the length of every list.
fn parts(report: &Report) -> (Vec<&str>, Vec<usize>) {
    let (image, identity, params, own) = match report {
        Report::Installed { image, identity } => (Some(image), Some(identity), None, None),
        Report::Failed { why } => (None, None, None, Some(why)),
        Report::Booted { image, boot_id, kernel_params, identity } => {
            (Some(image), Some(identity), Some(kernel_params), Some(boot_id))
        }
    };
    let image = image.into_iter().flat_map(|image| [image.name.as_str(), image.checksum.as_str()]);
    let named =
        identity.into_iter().flat_map(|identity| [identity.uuid.as_deref(), identity.serial.as_deref()]);
    let params_texts = params.into_iter().flatten().map(String::as_str);
    let texts = image.chain(named.flatten()).chain(params_texts).chain(own.map(String::as_str)).collect();
    (texts, vec![identity.map_or(0, |identity| identity.macs.len()), params.map_or(0, Vec::len)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_reports_are_read() {
        let identity = r#"{"uuid":"u","serial":"s","macs":["52:54:00:12:34:01"]}"#;
        let image = r#"{"name":"debian-12","checksum":"sha256:00"}"#;
        let installed = format!(r#"{{"event":"installed","image":{image},"identity":{identity}}}"#);
        assert!(matches!(parse(installed.as_bytes()).unwrap(), Report::Installed { .. }));
        let booted = format!(
            r#"{{"event":"booted","image":{image},"boot-id":"b","kernel-params":["quiet"],"identity":{identity}}}"#
        );
        let read = parse(booted.as_bytes()).unwrap();
        assert!(matches!(&read, Report::Booted { boot_id, .. } if boot_id == "b"));
        assert_eq!(parse(&serde_json::to_vec(&read).unwrap()).unwrap(), read);
        assert_eq!(
            parse(br#"{"event":"failed","why":"no disk"}"#).unwrap(),
            Report::Failed { why: "no disk".into() }
        );
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let long = format!(r#"{{"event":"failed","why":"{}"}}"#, "x".repeat(TEXT_LIMIT_BYTES + 1));
        for wrong in [
            "",
            "null",
            "<html>",
            r#"{"event":"failed"}"#,
            r#"{"event":"failed","why":"x","more":1}"#,
            r#"{"event":"exploded","why":"x"}"#,
            r#"{"event":"installed","image":{"name":"x","checksum":"y","z":1},"identity":{}}"#,
            r#"{"event":"installed","image":{"name":"x","checksum":"y"},"identity":{"macs":["zz"]}}"#,
            &long,
        ] {
            assert!(!parse(wrong.as_bytes()).unwrap_err().is_empty(), "{wrong}");
        }
    }
}
