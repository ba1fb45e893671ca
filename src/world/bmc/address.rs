//! Where a BMC is and who we are there. Clear-text credentials exist only here and in the requests made with them.
//!
//! Does not resolve secret references and does not keep anything.

use reqwest::Url;
use std::fmt;

/// What a BMC client needs.
#[derive(Clone, Debug)]
pub struct BmcAddress {
    /// Such as `https://10.17.1.1`. A path is ignored: Redfish starts at `/redfish/v1/` (DSP0266, 6.3).
    pub url: String,
    pub user: String,
    pub password: Password,
    /// Id or UUID of the ComputerSystem, when the service has several.
    pub system: Option<String>,
}

/// A password in clear text. Its `Debug` prints nothing of it, and it has no `Display` and no serde.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(clear: impl Into<String>) -> Password {
        Password(clear.into())
    }

    pub(in crate::world) fn clear(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(secret)")
    }
}

/// Scheme, host and port of `url`, without a user, password, path or query that somebody may have put there.
pub(super) fn origin(url: &str) -> Result<Url, String> {
    let mut parsed = Url::parse(url).map_err(|error| format!("the address is not a URL ({error})"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(format!("the address begins with `{}:`, not with `https:` or `http:`", parsed.scheme()));
    }
    let anonymous = parsed.set_username("").and_then(|()| parsed.set_password(None));
    if anonymous.is_err() || parsed.host_str().is_none() {
        return Err("the address names no host".into());
    }
    parsed.set_path("/");
    parsed.set_query(None);
    parsed.set_fragment(None);
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_of_an_address_are_kept() {
        let kept = |url: &str| origin(url).map(String::from);
        assert_eq!(
            kept("https://root:calvin@10.17.1.1:8443/redfish/v1?x=1#y").unwrap(),
            "https://10.17.1.1:8443/"
        );
        assert_eq!(kept("http://bmc.example").unwrap(), "http://bmc.example/");
        for wrong in ["", "10.17.1.1", "ftp://10.17.1.1", "https://"] {
            assert!(kept(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let address = BmcAddress {
            url: "https://10.17.1.1".into(),
            user: "root".into(),
            password: Password::new("planted"),
            system: None,
        };
        assert!(!format!("{address:?}").contains("planted"));
    }
}
