//! TFTP (RFC 1350), read-only: the first stage of network boot.

mod packet;
mod server;
mod transfer;

pub(super) use server::Server;
