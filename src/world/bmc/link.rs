//! Links: turns what a service calls a link into a path on that same service.
//!
//! Credentials go to the BMC that the design names and nowhere else, so of an absolute link only the path is used.

use serde_json::Value;

/// The path of a link or `Location`: absolute paths as they are, of absolute URLs the path.
/// `None` for everything else, and for characters that have no place in a request line.
pub(super) fn path_of(link: &str) -> Option<String> {
    let link = link.trim();
    let path = match link.split_once("://") {
        Some(("http" | "https", rest)) => &rest[rest.find('/')?..],
        Some(_) if !link.starts_with('/') => return None,
        _ => link,
    };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    (path.starts_with('/') && !path.starts_with("//") && plain && path.len() <= 2048)
        .then(|| path.to_string())
}

/// The path in `{"@odata.id": "…"}` under `key`.
pub(super) fn linked(resource: &Value, key: &str) -> Option<String> {
    odata_id(resource.get(key)?)
}

/// The path that a reference object, or in some services a bare string, holds.
pub(super) fn odata_id(reference: &Value) -> Option<String> {
    reference.get("@odata.id").unwrap_or(reference).as_str().and_then(path_of)
}

/// The last segment of a path: the Id of a resource in its collection.
pub(super) fn last_segment(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_on_the_service() {
        let table = [
            ("/redfish/v1/Systems/1", Some("/redfish/v1/Systems/1")),
            ("https://10.0.0.9/redfish/v1/TaskService/1", Some("/redfish/v1/TaskService/1")),
            ("http://evil.example:99/x?y=1", Some("/x?y=1")),
            ("//evil.example/x", None),
            ("@evil.example/x", None),
            ("redfish/v1", None),
            ("/a b", None),
            ("/a\r\nX-Y: z", None),
            ("https://10.0.0.9", None),
            ("https://10.0.0.9//evil.example/", None),
            ("", None),
        ];
        for (link, path) in table {
            assert_eq!(path_of(link).as_deref(), path, "{link}");
        }
    }
}
