//! Which loopback port stands for which BMC address, kept from one rack to the next.
//!
//! Owns the table and the binding. Serves nothing.

use super::LOOPBACK;
use super::disk::Folder;
use std::collections::BTreeMap;
use std::io;
use tokio::net::TcpListener;

const NAME: &str = "ports.json";

/// Ports by BMC address, and `control`.
pub struct Ports(BTreeMap<String, u16>);

impl Ports {
    pub fn load(folder: &Folder) -> io::Result<Ports> {
        Ok(Ports(folder.load(NAME)?.unwrap_or_default()))
    }

    /// Listens on the port that `name` had, or on a free one when that is taken. Also gives the URL.
    pub async fn bind(&mut self, name: &str) -> io::Result<(TcpListener, String)> {
        let kept = self.0.get(name).copied();
        let listener = match kept {
            Some(port) => match TcpListener::bind((LOOPBACK, port)).await {
                Ok(listener) => listener,
                Err(_) => TcpListener::bind((LOOPBACK, 0)).await?,
            },
            None => TcpListener::bind((LOOPBACK, 0)).await?,
        };
        let port = listener.local_addr()?.port();
        self.0.insert(name.to_string(), port);
        Ok((listener, format!("http://{LOOPBACK}:{port}")))
    }

    pub fn save(&self, folder: &Folder) -> io::Result<()> {
        folder.save(NAME, &self.0)
    }
}
