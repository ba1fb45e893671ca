//! All services together on loopback, spoken to by raw sockets as a machine would.
