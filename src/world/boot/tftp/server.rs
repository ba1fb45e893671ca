//! The TFTP server: one socket for requests, a task and a socket for each transfer, so many and no more.

use super::packet::{Code, ReadRequest, error, request};
use super::transfer;
use crate::units::Time;
use crate::world::boot::folder::{Folder, NotServed};
use crate::world::boot::quiet::Quiet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::fs::File;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Transfers at once; two thousand machines may start together.
const TRANSFERS_LIMIT: usize = 2048;
/// A request is a name and a few options (RFC 2347 bounds it to 512 bytes).
const REQUEST_LIMIT_BYTES: usize = 512;

pub(in crate::world::boot) struct Server {
    pub socket: UdpSocket,
    pub folder: Option<Folder>,
    pub now: fn() -> Time,
}

impl Server {
    /// Serves until `stop`; running transfers are cut off then, and machines ask again.
    pub async fn run(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(TRANSFERS_LIMIT));
        let full = Quiet::default();
        let mut transfers = JoinSet::new();
        let mut buffer = [0u8; REQUEST_LIMIT_BYTES];
        let local = match self.socket.local_addr() {
            Ok(local) => SocketAddr::new(local.ip(), 0),
            Err(error) => return tracing::error!(%error, "the TFTP socket has no address"),
        };
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = transfers.join_next() => continue,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            // Errors here are echoes of earlier packets (ICMP unreachable): not of this socket's health.
            let Ok((length, client)) = received else { continue };
            let Ok(place) = places.clone().try_acquire_owned() else {
                if let Some(left_out) = full.speak((self.now)()) {
                    tracing::warn!(%client, left_out, "{TRANSFERS_LIMIT} TFTP transfers run; a request is refused");
                }
                let answer = error(Code::NotDefined, "too many transfers");
                // Never waits: a full socket buffer drops it, and the client asks again.
                let _ = self.socket.try_send_to(&answer, client);
                continue;
            };
            let packet = buffer[..length].to_vec();
            let folder = self.folder.clone();
            transfers.spawn(async move {
                if let Err(error) = serve(local, client, &packet, folder).await {
                    tracing::debug!(%client, %error, "a TFTP transfer broke off");
                }
                drop(place);
            });
        }
    }
}

/// Answers one request from a socket of its own on the same IP address.
async fn serve(
    local: SocketAddr,
    client: SocketAddr,
    packet: &[u8],
    folder: Option<Folder>,
) -> std::io::Result<()> {
    let socket = UdpSocket::bind(local).await?;
    socket.connect(client).await?;
    let request = match request(packet) {
        Ok(request) => request,
        // An error is never answered with an error.
        Err(_) if packet.starts_with(&[0, 5]) => return Ok(()),
        Err((code, message)) => return socket.send(&error(code, message)).await.map(drop),
    };
    let (file, bytes) = match open(folder, &request).await {
        Ok(opened) => opened,
        Err((code, message)) => {
            tracing::info!(%client, file = request.file, message, "a TFTP request is refused");
            return socket.send(&error(code, &message)).await.map(drop);
        }
    };
    let end = transfer::send(&socket, file, bytes, &request.options).await?;
    tracing::debug!(%client, file = request.file, bytes, ?end, "a TFTP transfer ended");
    Ok(())
}

async fn open(folder: Option<Folder>, request: &ReadRequest) -> Result<(File, u64), (Code, String)> {
    let found = match folder {
        Some(folder) => folder.file(&request.file).await,
        None => Err(NotServed::Missing),
    };
    let path = found.map_err(|why| {
        let code = if why == NotServed::Outside { Code::AccessViolation } else { Code::NotFound };
        (code, why.to_string())
    })?;
    let failed =
        |error: std::io::Error| (Code::NotDefined, format!("the file cannot be read: {}", error.kind()));
    let file = File::open(path).await.map_err(failed)?;
    let bytes = file.metadata().await.map_err(failed)?.len();
    Ok((file, bytes))
}
