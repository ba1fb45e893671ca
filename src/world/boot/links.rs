//! Links: the URLs that machines are told, all built from one advertised address.

use crate::units::Mac;
use std::sync::Arc;

/// The base URL, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Links(Arc<str>);

impl Links {
    /// An http or https URL with a host, of characters that need no quoting in a boot script.
    pub fn new(advertise: &str) -> Option<Links> {
        let base = advertise.trim_end_matches('/');
        let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"))?;
        let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_~:/[]%".contains(&byte));
        (plain && !rest.is_empty() && !rest.starts_with(['/', ':'])).then(|| Links(base.into()))
    }

    pub fn base(&self) -> &str {
        &self.0
    }

    /// The host in the URL, without a port.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    pub fn script(&self, mac: Mac) -> String {
        format!("{}/boot/ipxe/{mac}", self.0)
    }

    pub fn order(&self, key: &str) -> String {
        format!("{}/boot/order/{key}", self.0)
    }

    pub fn report(&self, key: &str) -> String {
        format!("{}/boot/report/{key}", self.0)
    }

    /// Where an agent says hello, asks for orders and answers.
    pub fn agent(&self, key: &str) -> String {
        format!("{}/boot/agent/{key}", self.0)
    }

    pub fn tftp(&self, file: &str) -> String {
        format!("{}/tftp/{file}", self.0)
    }

    /// `files/…` of the design becomes a URL of ours; absolute http and https URLs pass unchanged.
    pub fn file(&self, reference: &str) -> String {
        if reference.starts_with("http://") || reference.starts_with("https://") {
            return reference.to_string();
        }
        format!("{}/{}", self.0, reference.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_built_from_the_advertised_address() {
        let links = Links::new("http://10.20.0.1:8080/").unwrap();
        assert_eq!(links.host(), "10.20.0.1");
        assert_eq!(
            links.script(Mac([0x52, 0x54, 0, 0, 0, 1])),
            "http://10.20.0.1:8080/boot/ipxe/52:54:00:00:00:01"
        );
        assert_eq!(links.file("files/boot/agent.kernel"), "http://10.20.0.1:8080/files/boot/agent.kernel");
        assert_eq!(links.file("https://images.example/x.raw"), "https://images.example/x.raw");
        assert_eq!(Links::new("https://[fd00::1]:80").unwrap().host(), "fd00::1");
        for wrong in
            ["", "10.20.0.1:8080", "http://", "http:///x", "http://a b", "http://a\n", "http://a${x}"]
        {
            assert!(Links::new(wrong).is_none(), "{wrong}");
        }
    }
}
