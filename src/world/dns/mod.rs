//! Names to addresses and back (RFC 1035), asked of the servers that the caller names, or of the system's.
//!
//! Remembers nothing: who asks wants to know what is so now. That there is no such record is an answer; that nobody
//! could say is an error.

#[cfg(test)]
mod tests;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// For one question to one server; asked twice.
const TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;
/// All of it: several servers, each over UDP and TCP.
const OVERALL: Duration = Duration::from_secs(20);
/// Of an answer, how many records are handed on.
const RECORDS: usize = 256;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    A,
    Aaaa,
    /// The names of an address, which is written as an address.
    Ptr,
}

/// Why nobody could say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    #[error("`{0}` is no name")]
    Name(String),
    #[error("`{0}` is no IP address, which a PTR record is asked for by")]
    Address(String),
    #[error("a rehearsal touches nothing real, and {0}")]
    Rehearsal(String),
    #[error("the system's resolver cannot be read ({0}); write `dns` in the site")]
    System(String),
    #[error("`{name}` cannot be looked up at {servers}: {why}")]
    NoAnswer { name: String, servers: String, why: String },
}

impl DnsError {
    /// It may pass.
    pub fn is_transient(&self) -> bool {
        matches!(self, DnsError::NoAnswer { .. })
    }
}

/// Every record of the kind, sorted; none when there is none.
pub async fn look_up(
    name: &str,
    kind: Kind,
    servers: &[SocketAddr],
    rehearsal: bool,
) -> Result<Vec<String>, DnsError> {
    if rehearsal {
        refuse_real(servers)?;
    }
    let (asked, record) = question(name, kind)?;
    let resolver = resolver(servers)?;
    let no_answer = |why: String| DnsError::NoAnswer { name: name.into(), servers: named(servers), why };
    let found = match tokio::time::timeout(OVERALL, resolver.lookup(asked, record)).await {
        Err(_) => return Err(no_answer(format!("no answer within {}", crate::units::short(OVERALL)))),
        Ok(Ok(found)) => found,
        // The question has an answer: there is no such record.
        Ok(Err(error)) if is_absence(&error) => return Ok(Vec::new()),
        Ok(Err(error)) => return Err(no_answer(error.to_string())),
    };
    let mut records: Vec<String> =
        found.answers().iter().filter_map(|record| text(&record.data, kind)).take(RECORDS).collect();
    records.sort();
    records.dedup();
    Ok(records)
}

fn refuse_real(servers: &[SocketAddr]) -> Result<(), DnsError> {
    match servers.iter().find(|server| !server.ip().is_loopback()) {
        Some(server) => {
            Err(DnsError::Rehearsal(format!("the name server {} is not a loopback address", server.ip())))
        }
        None if servers.is_empty() => {
            Err(DnsError::Rehearsal("the system's resolver may ask real name servers".into()))
        }
        None => Ok(()),
    }
}

fn question(name: &str, kind: Kind) -> Result<(Name, RecordType), DnsError> {
    if kind == Kind::Ptr {
        let address: IpAddr = name.parse().map_err(|_| DnsError::Address(name.into()))?;
        return Ok((Name::from(address), RecordType::PTR));
    }
    let mut asked = Name::from_utf8(name).map_err(|_| DnsError::Name(name.into()))?;
    if name.is_empty() {
        return Err(DnsError::Name(name.into()));
    }
    // What a design writes is the whole name: no search list of the computer that we run on changes it.
    asked.set_fqdn(true);
    Ok((asked, if kind == Kind::A { RecordType::A } else { RecordType::AAAA }))
}

fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, DnsError> {
    let system = |error: NetError| DnsError::System(error.to_string());
    let mut builder = match servers {
        [] => TokioResolver::builder_tokio().map_err(system)?,
        servers => {
            let servers = servers.iter().map(|server| {
                let mut config = NameServerConfig::udp_and_tcp(server.ip());
                config.connections.iter_mut().for_each(|connection| connection.port = server.port());
                config
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    options(builder.options_mut(), servers.is_empty());
    builder.build().map_err(system)
}

fn options(options: &mut ResolverOpts, system: bool) {
    options.timeout = TIMEOUT;
    options.attempts = ATTEMPTS;
    options.cache_size = 0;
    options.use_hosts_file = if system { ResolveHosts::Auto } else { ResolveHosts::Never };
}

fn is_absence(error: &NetError) -> bool {
    error.is_no_records_found() || error.is_nx_domain()
}

fn text(data: &RData, kind: Kind) -> Option<String> {
    match (data, kind) {
        (RData::A(address), Kind::A) => Some(address.0.to_string()),
        (RData::AAAA(address), Kind::Aaaa) => Some(address.0.to_string()),
        (RData::PTR(name), Kind::Ptr) => Some(name.0.to_utf8().trim_end_matches('.').to_string()),
        _ => None,
    }
}

fn named(servers: &[SocketAddr]) -> String {
    match servers {
        [] => "the system's name servers".into(),
        servers => servers.iter().map(|server| server.ip().to_string()).collect::<Vec<_>>().join(", "),
    }
}
