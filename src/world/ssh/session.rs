//! One connection: its host key looked at, somebody logged in, commands run.

use super::error::{Fault, SshError};
use crate::model::value::Value;
use crate::world::http::is_loopback_host;
use crate::world::secret::Opened;
use russh::client::{self, Handle};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// To connect, to exchange keys, and to log in: each.
const STEP: Duration = Duration::from_secs(15);
/// Without a sign of life for so long, the machine is gone; it is asked for one three times.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// What a server may say before its version (RFC 4253, 4.2).
const BANNER_BYTES: usize = 8 << 10;

/// Where a machine is.
#[derive(Clone, Debug)]
pub struct Place {
    pub host: String,
    pub port: u16,
    /// A rehearsal speaks to loopback addresses only.
    pub rehearsal: bool,
}

/// Who logs in. Key and password are secrets; one is enough.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    /// A private key as OpenSSH writes it, without a passphrase.
    pub key: Option<Value>,
    pub password: Option<Value>,
}

/// A host key as it is pinned: in OpenSSH's form without a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    pub line: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
}

impl HostKey {
    fn of(key: &PublicKey) -> HostKey {
        let line = key.to_openssh().unwrap_or_default();
        // A comment is no part of a key.
        let line = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        HostKey { line, fingerprint: key.fingerprint(HashAlg::Sha256).to_string() }
    }

    /// Whether it is the one that is meant: a key as OpenSSH writes it, or its fingerprint.
    pub fn is(&self, meant: &str) -> bool {
        match meant.starts_with("SHA256:") {
            true => self.fingerprint == meant,
            false => self.line == meant.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
        }
    }
}

/// What a command wrote and how it ended; `status` is absent when a signal ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub status: Option<u32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// A connection whose server has proved that it holds `host_key`.
pub struct Session {
    handle: Handle<Client>,
    pub host_key: HostKey,
    at: String,
    opened: Opened,
}

/// Waits for the server to say that it speaks SSH.
pub async fn banner(place: &Place) -> Result<(), SshError> {
    let fail = |fault| place.error(fault);
    let mut stream = place.stream().await?;
    let read = async {
        let mut said = Vec::new();
        loop {
            let mut part = [0; 512];
            let count = stream.read(&mut part).await.map_err(|error| Fault::Broken(error.to_string()))?;
            said.extend_from_slice(&part[..count]);
            let is_ssh = said.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"SSH-"));
            match (is_ssh, count) {
                (true, _) => return Ok(()),
                (false, 0) => return Err(Fault::NotSsh),
                (false, _) if said.len() > BANNER_BYTES => return Err(Fault::NotSsh),
                _ => {}
            }
        }
    };
    tokio::time::timeout(STEP, read).await.map_err(|_| fail(Fault::TimedOut(STEP)))?.map_err(fail)
}

impl Place {
    fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn error(&self, fault: Fault) -> SshError {
        SshError { at: self.at(), fault }
    }

    async fn stream(&self) -> Result<TcpStream, SshError> {
        if self.rehearsal && !is_loopback_host(&self.host) {
            return Err(self.error(Fault::Rehearsal(self.host.clone())));
        }
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        match tokio::time::timeout(STEP, connecting).await {
            Err(_) => Err(self.error(Fault::TimedOut(STEP))),
            Ok(Err(error)) => Err(self.error(Fault::Connect(error.to_string()))),
            Ok(Ok(stream)) => Ok(stream),
        }
    }
}

/// Keeps the host key, and lets nobody on when it is not the one that is meant.
struct Client {
    meant: Option<String>,
    seen: Arc<Mutex<Option<HostKey>>>,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => HostKey::of(key),
            PublicKeyOrCertificate::Certificate(certificate) => {
                HostKey::of(&PublicKey::from(certificate.public_key().clone()))
            }
        };
        let good = self.meant.as_ref().is_none_or(|meant| key.is(meant));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(good)
    }
}

impl Session {
    /// Connects, and sees that the host key is `meant`; without one the caller has to judge it before it logs in.
    pub async fn connect(place: &Place, meant: Option<&str>) -> Result<Session, SshError> {
        let stream = place.stream().await?;
        let seen = Arc::new(Mutex::new(None));
        let client = Client { meant: meant.map(str::to_string), seen: seen.clone() };
        let connecting = client::connect_stream(Arc::new(config(meant)), stream, client);
        let connected = tokio::time::timeout(STEP, connecting).await;
        let key = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = match (connected, key, meant) {
            (Ok(Ok(handle)), Some(host_key), _) => {
                return Ok(Session { handle, host_key, at: place.at(), opened: Opened::default() });
            }
            (_, Some(key), Some(meant)) if !key.is(meant) => {
                Fault::HostKey { seen: key.fingerprint, expected: fingerprint(meant) }
            }
            (Err(_), ..) => Fault::TimedOut(STEP),
            (Ok(Err(russh::Error::Version)), ..) => Fault::NotSsh,
            (Ok(Err(error)), ..) => Fault::Broken(error.to_string()),
            (Ok(Ok(_)), None, _) => Fault::Broken("it showed no host key".into()),
        };
        Err(place.error(fault))
    }

    pub(super) fn error(&self, fault: Fault) -> SshError {
        SshError { at: self.at.clone(), fault }
    }

    fn broken(&self, error: russh::Error) -> SshError {
        self.error(Fault::Broken(self.opened.covered(&error.to_string())))
    }

    /// Logs in with the key, and then with the password, as far as they are given.
    pub async fn log_in(&mut self, who: &Credentials) -> Result<(), SshError> {
        let logging_in = self.try_to_log_in(who);
        match tokio::time::timeout(STEP, logging_in).await {
            Ok(done) => done,
            Err(_) => Err(self.error(Fault::TimedOut(STEP))),
        }
    }

    async fn try_to_log_in(&mut self, who: &Credentials) -> Result<(), SshError> {
        if let Some(key) = &who.key {
            let key = self.private_key(key)?;
            // Old servers know only SHA-1 for RSA, which nobody should accept.
            let hash = self.handle.best_supported_rsa_hash().await.map_err(|error| self.broken(error))?;
            let hash = hash.flatten().or(Some(HashAlg::Sha256));
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
            let said = self.handle.authenticate_publickey(&who.user, key).await;
            if said.map_err(|error| self.broken(error))?.success() {
                return Ok(());
            }
        }
        if let Some(password) = &who.password {
            let password = self.opened.text(password).map_err(|error| self.error(Fault::Secret(error)))?;
            let line = password.lines().next().unwrap_or_default();
            let said = self.handle.authenticate_password(&who.user, line).await;
            if said.map_err(|error| self.broken(error))?.success() {
                return Ok(());
            }
        }
        Err(self.error(Fault::Login(who.user.clone())))
    }

    fn private_key(&mut self, secret: &Value) -> Result<PrivateKey, SshError> {
        let text = self.opened.text(secret).map_err(|error| self.error(Fault::Secret(error)))?;
        let key = PrivateKey::from_openssh(text.trim())
            .map_err(|_| self.error(Fault::Key("it is none in OpenSSH's form; `ssh-keygen` writes it so")))?;
        match key.is_encrypted() {
            true => Err(self.error(Fault::Key("it has a passphrase; give it without one, as a secret"))),
            false => Ok(key),
        }
    }

    /// Keeps what the caller opened out of everything that this connection says.
    pub(super) fn opened(&mut self) -> &mut Opened {
        &mut self.opened
    }

    /// Runs a command line in the user's shell, with `input`, within `limit`; each stream may have `bytes`.
    pub async fn run(
        &self,
        line: &str,
        input: &[u8],
        limit: Duration,
        bytes: usize,
    ) -> Result<Output, SshError> {
        match tokio::time::timeout(limit, self.exchange(line, input, bytes)).await {
            Ok(done) => done,
            Err(_) => Err(self.error(Fault::TimedOut(limit))),
        }
    }

    async fn exchange(&self, line: &str, input: &[u8], bytes: usize) -> Result<Output, SshError> {
        let broken = |error| self.broken(error);
        let channel = self.handle.channel_open_session().await.map_err(broken)?;
        channel.exec(true, line).await.map_err(broken)?;
        let (mut reading, writing) = channel.split();
        let write = async {
            // A command that does not read its input has ended by now, and its answer says how.
            if writing.data(input).await.is_ok() {
                let _ = writing.eof().await;
            }
            std::future::pending::<()>().await
        };
        let read = async {
            let mut output = Output { status: None, stdout: Vec::new(), stderr: Vec::new() };
            let mut ended = false;
            while let Some(message) = reading.wait().await {
                let (stream, data) = match message {
                    ChannelMsg::Data { data } => (&mut output.stdout, data),
                    ChannelMsg::ExtendedData { data, .. } => (&mut output.stderr, data),
                    ChannelMsg::ExitStatus { exit_status } => {
                        (output.status, ended) = (Some(exit_status), true);
                        continue;
                    }
                    ChannelMsg::ExitSignal { .. } => {
                        ended = true;
                        continue;
                    }
                    ChannelMsg::Failure => {
                        return Err(self.error(Fault::Refused("it runs no commands for this user".into())));
                    }
                    _ => continue,
                };
                if stream.len() + data.len() > bytes {
                    return Err(self.error(Fault::TooLarge(bytes)));
                }
                stream.extend_from_slice(&data);
            }
            match ended {
                true => Ok(output),
                false => Err(self.error(Fault::Broken("it closed before the command had ended".into()))),
            }
        };
        tokio::select! {
            output = read => output,
            () = write => Err(self.error(Fault::Broken("it took no input".into()))),
        }
    }

    /// The text without what was opened.
    pub fn covered(&self, bytes: &[u8]) -> String {
        self.opened.covered(&String::from_utf8_lossy(bytes))
    }

    pub async fn close(self) {
        let closing = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = tokio::time::timeout(Duration::from_secs(2), closing).await;
    }
}

fn config(meant: Option<&str>) -> client::Config {
    let mut config = client::Config {
        inactivity_timeout: Some(KEEPALIVE * 4),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 3,
        nodelay: true,
        ..client::Config::default()
    };
    // A server with several keys is asked for the one that is pinned.
    if let Some(key) = meant.and_then(|meant| PublicKey::from_openssh(meant).ok()) {
        config.preferred.key = match key.algorithm() {
            Algorithm::Rsa { .. } => Cow::Owned(vec![
                Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
                Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
            ]),
            other => Cow::Owned(vec![other]),
        };
    }
    config
}

fn fingerprint(meant: &str) -> String {
    PublicKey::from_openssh(meant).map_or_else(|_| meant.to_string(), |key| HostKey::of(&key).fingerprint)
}
