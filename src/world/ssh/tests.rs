//! The room against a real OpenSSH server on loopback, and against sockets that hang, flood and babble.

use super::*;
use crate::model::value::Value;
use crate::world::bmc::Class;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

const LIMIT: Duration = Duration::from_secs(20);

/// `sshd` with keys and a configuration of its own; it ends with this value.
struct Sshd {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

fn keygen(path: &Path, kind: &str) {
    let done = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f"]).arg(path).status();
    assert!(done.unwrap_or_else(|error| panic!("ssh-keygen: {error}; {INSTALL}")).success());
}

const INSTALL: &str = "`tests/run` installs it, or: apt-get install openssh-server";

impl Sshd {
    async fn start() -> Sshd {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        keygen(&at("host"), "ed25519");
        keygen(&at("host-rsa"), "rsa");
        keygen(&at("key"), "ed25519");
        keygen(&at("rsa"), "rsa");
        keygen(&at("stranger"), "ed25519");
        let both = ["key.pub", "rsa.pub"].map(|name| std::fs::read_to_string(at(name)).unwrap()).concat();
        std::fs::write(at("authorized"), both).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {host}\nHostKey {host}-rsa\nAuthorizedKeysFile {keys}\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nPrintMotd no\nLogLevel QUIET\nMaxStartups 100\n",
            host = at("host").display(),
            keys = at("authorized").display(),
        );
        std::fs::write(at("config"), config).unwrap();
        if is_root() {
            // Where a server that root starts keeps its unprivileged part.
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("sshd cannot be started ({error}); {INSTALL}"));
        let sshd = Sshd { child, folder, port };
        for _ in 0..200 {
            if banner(&sshd.place()).await.is_ok() {
                return sshd;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("sshd is not up: {}", std::fs::read_to_string(sshd.at("log")).unwrap());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self) -> Place {
        Place { host: "127.0.0.1".into(), port: self.port, rehearsal: true }
    }

    fn host_key(&self) -> String {
        std::fs::read_to_string(self.at("host.pub")).unwrap()
    }

    fn with_key(&self, name: &str) -> Credentials {
        let reference = format!("file:{}", self.at(name).display());
        Credentials { user: user(), key: Some(Value::Secret(reference.into())), password: None }
    }

    async fn session(&self) -> Session {
        let mut session = Session::connect(&self.place(), Some(&self.host_key())).await.unwrap();
        session.log_in(&self.with_key("key")).await.unwrap();
        session
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn user() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_string()
}

fn is_root() -> bool {
    user() == "root"
}

/// Names that no other test process has: what is kept on this machine is found by them.
fn effect(name: &str) -> String {
    format!("test-{}-{name}", std::process::id())
}

fn asked<'a>(mode: Mode, effect: &'a str, command: &'a str) -> Asked<'a> {
    Asked { mode, effect, command, input: &Value::Null, limit: LIMIT }
}

fn forget(effect: &str) {
    let uid = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap();
    let own = format!("/var/tmp/rackwright-{}", uid.trim());
    for base in ["/var/lib/rackwright/effects", own.as_str()] {
        let _ = std::fs::remove_dir_all(Path::new(base).join(effect));
    }
}

fn done(kept: Kept) -> (i64, String, String) {
    match kept {
        Kept::Done { status, stdout, stderr, stopped: None, cut: false } => (status, stdout, stderr),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_and_commands_of_a_real_server() {
    let sshd = Sshd::start().await;
    let session = sshd.session().await;
    let output = session.run("cat; echo err >&2; exit 3", b"in 'put'", LIMIT, 1024).await.unwrap();
    let wanted = Output { status: Some(3), stdout: b"in 'put'".to_vec(), stderr: b"err\n".to_vec() };
    assert_eq!(output, wanted);
    // A command that reads nothing of a large input still says how it ended.
    let output = session.run("exit 4", &vec![0; 4 << 20], LIMIT, 1024).await.unwrap();
    assert_eq!(output.status, Some(4));
    let error = session.run("yes", b"", LIMIT, 64 << 10).await.unwrap_err();
    assert_eq!((&error.fault, error.class()), (&Fault::TooLarge(64 << 10), Class::Permanent));
    let short = Duration::from_millis(200);
    let error = session.run("sleep 60", b"", short, 1024).await.unwrap_err();
    assert_eq!(error.fault, Fault::TimedOut(short));
    let error = session.run("kill -9 $$", b"", LIMIT, 1024).await.unwrap();
    assert_eq!(error.status, None);
    session.close().await;

    let mut rsa = Session::connect(&sshd.place(), None).await.unwrap();
    assert!(rsa.host_key.is(&sshd.host_key()), "{:?}", rsa.host_key);
    rsa.log_in(&sshd.with_key("rsa")).await.unwrap();
    let pinned = std::fs::read_to_string(sshd.at("host-rsa.pub")).unwrap();
    let session = Session::connect(&sshd.place(), Some(&pinned)).await.unwrap();
    assert!(session.host_key.is(&pinned), "a server with several keys is asked for the pinned one");
}

#[tokio::test]
async fn another_host_key_or_a_wrong_login_ends_it() {
    let sshd = Sshd::start().await;
    let other = std::fs::read_to_string(sshd.at("stranger.pub")).unwrap();
    let own = Session::connect(&sshd.place(), None).await.unwrap().host_key;
    let error = Session::connect(&sshd.place(), Some(&other)).await.err().unwrap();
    let said = error.to_string();
    assert!(said.contains(&own.fingerprint) && said.matches("SHA256:").count() == 2, "{said}");
    assert_eq!(error.class(), Class::Permanent);
    assert!(Session::connect(&sshd.place(), Some(&own.fingerprint)).await.is_ok());
    let wrong = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(Session::connect(&sshd.place(), Some(wrong)).await.is_err());

    let mut session = Session::connect(&sshd.place(), Some(&own.line)).await.unwrap();
    let error = session.log_in(&sshd.with_key("stranger")).await.unwrap_err();
    assert_eq!((&error.fault, error.class()), (&Fault::Login(user()), Class::Permanent));
    let planted = sshd.at("password");
    std::fs::write(&planted, "hunter2-planted\n").unwrap();
    let secret = Value::Secret(format!("file:{}", planted.display()).into());
    let mut session = Session::connect(&sshd.place(), Some(&own.line)).await.unwrap();
    let by_password = Credentials { user: user(), key: None, password: Some(secret.clone()) };
    let error = session.log_in(&by_password).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    // A password is no private key, and the error must not repeat it.
    let by_key = Credentials { user: user(), key: Some(secret), password: None };
    let mut session = Session::connect(&sshd.place(), Some(&own.line)).await.unwrap();
    let error = session.log_in(&by_key).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Key(_)) && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_command_is_run_once_however_often_it_is_asked_for() {
    let sshd = Sshd::start().await;
    let (effect, marks) = (effect("once"), sshd.at("marks"));
    let command = format!("echo mark >>'{0}'; cat; echo \"it's\" >&2; exit 7", marks.display());
    let input = Value::text("typed 'in'\n");
    let run = Asked { input: &input, ..asked(Mode::Run, &effect, &command) };
    assert_eq!(sshd.session().await.keep(&asked(Mode::Find, &effect, &command)).await.unwrap(), Kept::Never);
    let wanted = (7, "typed 'in'\n".to_string(), "it's\n".to_string());
    assert_eq!(done(sshd.session().await.keep(&run).await.unwrap()), wanted);
    assert_eq!(done(sshd.session().await.keep(&run).await.unwrap()), wanted);
    let found = sshd.session().await.keep(&asked(Mode::Find, &effect, &command)).await.unwrap();
    assert_eq!(done(found), wanted);
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "mark\n");
    forget(&effect);
}

#[tokio::test]
async fn a_command_outlives_its_connection_and_is_found_again() {
    let sshd = Sshd::start().await;
    let (effect, marks, go) = (effect("outlives"), sshd.at("marks"), sshd.at("go"));
    let command = format!(
        "echo began >>'{0}'; n=0; while [ ! -e '{1}' ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done; echo ended >>'{0}'",
        marks.display(),
        go.display()
    );
    let mut first = sshd.session().await;
    let run = asked(Mode::Run, &effect, &command);
    {
        let began = async {
            while !marks.exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            kept = first.keep(&run) => panic!("it ended: {kept:?}"),
            () = began => {}
        }
    }
    // As a controller that is killed: nobody says goodbye.
    drop(first);
    let mut second = sshd.session().await;
    let find = asked(Mode::Find, &effect, &command);
    let (kept, ()) = tokio::join!(second.keep(&find), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        std::fs::write(&go, "").unwrap();
    });
    assert_eq!(done(kept.unwrap()).0, 0);
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "began\nended\n");
    forget(&effect);
}

#[tokio::test]
async fn what_runs_too_long_or_is_ended_behind_our_back_is_told_apart() {
    let sshd = Sshd::start().await;
    let (late, lost) = (effect("late"), effect("lost"));
    let short = Asked { limit: Duration::from_secs(1), ..asked(Mode::Run, &late, "echo x; sleep 60") };
    let kept = sshd.session().await.keep(&short).await.unwrap();
    assert!(matches!(kept, Kept::Done { stopped: Some(Stopped::Late), .. }), "{kept:?}");
    let long = "yes | head -c 200000";
    let cut = sshd.session().await.keep(&asked(Mode::Run, &effect("cut"), long)).await.unwrap();
    let Kept::Done { cut: true, stdout, .. } = cut else { panic!("it is not cut") };
    assert_eq!(stdout.len(), STREAM_BYTES);
    // The one that keeps it is killed, and then the command, as the kernel does when memory ends.
    let kill = "sleep 0.3; kill -9 $PPID; exit 0";
    let kept = sshd.session().await.keep(&asked(Mode::Run, &lost, kill)).await.unwrap();
    assert_eq!(kept, Kept::Lost);
    assert_eq!(sshd.session().await.keep(&asked(Mode::Find, &lost, kill)).await.unwrap(), Kept::Lost);
    let odd = sshd.session().await.keep(&asked(Mode::Run, "../../x", "true")).await.unwrap_err();
    assert!(matches!(odd.fault, Fault::NotBegun(_)));
    [late, lost, effect("cut")].iter().for_each(|effect| forget(effect));
}

#[tokio::test]
async fn a_file_is_put_whole_and_only_when_it_differs() {
    let sshd = Sshd::start().await;
    let path = sshd.at("it's a file");
    let path = path.to_str().unwrap();
    let planted = sshd.at("planted");
    std::fs::write(&planted, "hunter2").unwrap();
    let secret = Value::Secret(format!("file:{}", planted.display()).into());
    let mut session = sshd.session().await;
    let mut put = async |content: &Value, mode: Option<&str>| {
        session.place(&Placed { path, content, mode, owner: None }).await
    };
    let text = Value::text("one\n'two'\n");
    assert!(put(&text, None).await.unwrap());
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one\n'two'\n");
    assert_eq!(mode_of(path), 0o644);
    assert!(!put(&text, Some("0644")).await.unwrap());
    assert!(put(&secret, Some("0600")).await.unwrap());
    assert_eq!((std::fs::read_to_string(path).unwrap().as_str(), mode_of(path)), ("hunter2", 0o600));
    assert!(!put(&secret, None).await.unwrap());
    assert!(put(&text, None).await.unwrap());
    assert_eq!(mode_of(path), 0o600, "what is not said stays as it is");
    let own = session.place(&Placed { path, content: &text, mode: None, owner: Some(&user()) }).await;
    assert!(!own.unwrap());
    let nowhere = Placed { path: "/nonexistent/x", content: &secret, mode: None, owner: None };
    let error = session.place(&nowhere).await.unwrap_err();
    assert!(
        error.to_string().contains("/nonexistent/x") && !error.to_string().contains("hunter2"),
        "{error}"
    );
    let folder = Placed { path: "/", content: &text, mode: None, owner: None };
    assert!(session.place(&folder).await.unwrap_err().to_string().contains("is a folder"));
    let left = std::fs::read_dir(sshd.folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".rackwright-"));
    assert_eq!(left.count(), 0);
}

fn mode_of(path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A peer that does one thing with whoever connects.
async fn peer<F, Done>(act: F) -> Place
where
    F: Fn(TcpStream) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    Place { host: "127.0.0.1".into(), port: at.port(), rehearsal: true }
}

#[tokio::test]
async fn hostile_peers_end_and_a_rehearsal_reaches_nobody_real() {
    let floods =
        peer(|mut stream| async move { while stream.write_all(&[b'x'; 8192]).await.is_ok() {} }).await;
    assert_eq!(banner(&floods).await.unwrap_err().fault, Fault::NotSsh);
    let error = Session::connect(&floods, None).await.err().unwrap();
    assert_eq!(error.class(), Class::Transient, "{error}");
    for garbage in
        ["", "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n\u{0}\u{0}nonsense nonsense nonsense\r\n"]
    {
        let babbles = peer(move |mut stream| async move {
            let _ = stream.write_all(garbage.as_bytes()).await;
        })
        .await;
        let error = Session::connect(&babbles, None).await.err().unwrap();
        assert!(matches!(error.fault, Fault::Broken(_) | Fault::NotSsh), "{garbage}: {error}");
    }
    let hangs = peer(|stream| async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        drop(stream);
    })
    .await;
    let (said, connected) = tokio::join!(banner(&hangs), Session::connect(&hangs, None));
    assert!(matches!(said.unwrap_err().fault, Fault::TimedOut(_)));
    assert!(matches!(connected.err().unwrap().fault, Fault::TimedOut(_)));
    let real = Place { host: "192.0.2.1".into(), port: 22, rehearsal: true };
    assert_eq!(banner(&real).await.unwrap_err().fault, Fault::Rehearsal("192.0.2.1".into()));
    let error = Session::connect(&real, None).await.err().unwrap();
    assert_eq!((&error.fault, error.class()), (&Fault::Rehearsal("192.0.2.1".into()), Class::Permanent));
}
