//! A port of the rack that speaks HTTP: accepts connections and hands their requests to the device behind it.
//!
//! Owns connections and their limits. What a request means, and what a fault does to its answer, is the device's.

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Open connections to one device; one more waits in the backlog.
const CONNECTIONS: usize = 64;
/// Even a connection that is kept alive ends after this time.
const LIFETIME: Duration = Duration::from_secs(1800);
/// The largest body that a device takes.
pub const BODY_BYTES: usize = 64 * 1024;
/// The longest body that the log tells.
pub const LOGGED_BYTES: usize = 4096;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped")]
pub struct Dropped;

/// What is behind a port: a BMC, or a switch.
pub trait Device: Send + Sync + 'static {
    /// How the log of this process calls it.
    fn name(&self) -> &str;

    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Body>, Dropped>> + Send;
}

/// Serves a device until the task is ended; its connections end with it.
pub async fn serve<D: Device>(listener: TcpListener, device: Arc<D>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, device.clone()));
            }
            Err(error) => {
                tracing::warn!(device = device.name(), %error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection<D: Device>(stream: TcpStream, device: Arc<D>) {
    // Small answers should not wait for more.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| device.clone().handle(request));
    let served =
        http1::Builder::new().max_buf_size(16 * 1024).serve_connection(TokioIo::new(stream), service);
    // How a connection ends is the client's affair.
    let _ = tokio::time::timeout(LIFETIME, served).await;
}
