//! Which loopback port stands for which BMC address or switch, kept from one rack to the next.
//!
//! Owns the table and the binding. Serves nothing.

use super::LOOPBACK;
use super::disk::Folder;
use std::collections::BTreeMap;
use std::io;
use tokio::net::TcpListener;

const NAME: &str = "ports.json";

/// Ports by BMC address, by `switch NAME`, and `control`.
pub struct Ports {
    kept: BTreeMap<String, u16>,
    /// Kept ports, held before any free port is drawn: else a new machine might draw an old one's.
    held: BTreeMap<String, TcpListener>,
}

impl Ports {
    /// Reads the table and listens on as many of the ports of `names` as are free.
    pub async fn load(folder: &Folder, names: impl Iterator<Item = &str>) -> io::Result<Ports> {
        let kept: BTreeMap<String, u16> = folder.load(NAME)?.unwrap_or_default();
        let mut held = BTreeMap::new();
        for name in names {
            if let Some(port) = kept.get(name)
                && let Ok(listener) = TcpListener::bind((LOOPBACK, *port)).await
            {
                held.insert(name.to_string(), listener);
            }
        }
        Ok(Ports { kept, held })
    }

    /// The listener of `name`, on the port that it had or else on a free one, and its URL.
    pub async fn bind(&mut self, name: &str) -> io::Result<(TcpListener, String)> {
        let listener = match self.held.remove(name) {
            Some(listener) => listener,
            None => TcpListener::bind((LOOPBACK, 0)).await?,
        };
        let port = listener.local_addr()?.port();
        self.kept.insert(name.to_string(), port);
        Ok((listener, format!("http://{LOOPBACK}:{port}")))
    }

    pub fn save(&self, folder: &Folder) -> io::Result<()> {
        folder.save(NAME, &self.kept)
    }
}
