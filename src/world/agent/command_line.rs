//! The kernel's command line, on which a machine is told where its agent gets its orders.

use std::path::Path;

/// The word of the command line.
const WORD: &str = "rackwright.agent=";
/// Linux has at most this much of a command line on any architecture.
const LIMIT_BYTES: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum CommandLineError {
    #[error("the kernel's command line `{0}` cannot be read: {1}")]
    Unreadable(String, std::io::Error),
    #[error("the kernel's command line has no word {WORD}URL: this machine was not booted to take orders")]
    NoUrl,
    #[error("`{0}` is not the URL of an agent's ticket, such as http://10.20.0.1:8080/boot/agent/KEY")]
    Url(String),
}

/// The URL of the ticket: as given, or from `proc/cmdline` below `root`.
pub fn url_of(given: Option<&str>, root: &Path) -> Result<String, CommandLineError> {
    let text = match given {
        Some(given) => given.to_string(),
        None => {
            let path = root.join("proc/cmdline");
            let line = std::fs::read_to_string(&path)
                .map_err(|error| CommandLineError::Unreadable(path.display().to_string(), error))?;
            let line = line.get(..LIMIT_BYTES.min(line.len())).unwrap_or_default();
            let word = line.split_whitespace().rev().find_map(|word| word.strip_prefix(WORD));
            word.ok_or(CommandLineError::NoUrl)?.to_string()
        }
    };
    let wrong = || CommandLineError::Url(text.chars().take(80).collect());
    let url = reqwest::Url::parse(&text).map_err(|_| wrong())?;
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    if fits { Ok(text.trim_end_matches('/').to_string()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_given_or_stands_on_the_command_line() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(url_of(None, root.path()), Err(CommandLineError::Unreadable(..))));
        std::fs::create_dir(root.path().join("proc")).unwrap();
        let written = |line: &str| std::fs::write(root.path().join("proc/cmdline"), line).unwrap();
        written("initrd=a quiet rackwright.agent=http://10.20.0.1:8080/boot/agent/KEY console=ttyS0\n");
        assert_eq!(url_of(None, root.path()).unwrap(), "http://10.20.0.1:8080/boot/agent/KEY");
        assert_eq!(url_of(Some("http://a/b/"), root.path()).unwrap(), "http://a/b");
        written("quiet rackwright.order=http://a/o");
        assert!(matches!(url_of(None, root.path()), Err(CommandLineError::NoUrl)));
        for wrong in ["", "10.20.0.1/x", "ftp://a/b", "http://", "http://a/b?c"] {
            assert!(matches!(url_of(Some(wrong), root.path()), Err(CommandLineError::Url(_))), "{wrong}");
        }
    }
}
