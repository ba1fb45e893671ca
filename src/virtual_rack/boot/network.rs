//! One network boot attempt: address, boot program, script, kernel.
//!
//! Owns the order of these and why an attempt failed. What the kernel then does is the agent's.

use super::super::machine::activity::{Activity, After, Cut};
use super::super::machine::settings::Target;
use super::super::spec::BootMode;
use super::dhcp::{self, Asker, Grant};
use super::ipxe::{self, Do, Script};
use super::loader::Loaded;
use super::{agent, http, installed, relay, tftp};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

const PROGRAM_MARK: &[u8] = b"rackwright virtual boot program: ipxe";
/// What every EFI executable begins with.
const EFI_MARK: &[u8] = b"MZ";
/// Scripts that chain each other, at most.
const CHAIN_DEPTH: usize = 8;

/// Boots from the network as `device` (`Pxe` or `UefiHttp`) in `mode`.
pub async fn boot(activity: &Activity, device: Target, mode: BootMode) -> Result<After, Cut> {
    let uefi = mode == BootMode::Uefi;
    let asker = match (device, uefi) {
        (Target::UefiHttp, _) => Asker::UefiHttp,
        (_, true) => Asker::UefiPxe,
        (_, false) => Asker::BiosPxe,
    };
    let started = match start_program(activity, asker).await {
        Ok(()) => dhcp::acquire(activity, Asker::Ipxe { uefi: uefi || asker == Asker::UefiHttp }).await,
        Err(why) => Err(why),
    };
    match started {
        Ok(grant) => run_script(activity, device, &grant).await,
        Err(why) => Ok(After::Next(why)),
    }
}

/// Gets an address and the boot program that goes with it.
async fn start_program(activity: &Activity, asker: Asker) -> Result<(), String> {
    let grant = dhcp::acquire(activity, asker).await?;
    let head = if asker == Asker::UefiHttp {
        let text = http::text(activity.machine(), &grant.boot_file);
        text.await.map_err(|error| error.to_string())?.into_bytes()
    } else {
        read_tftp(activity, &grant).await?
    };
    if head.starts_with(PROGRAM_MARK) || head.starts_with(EFI_MARK) {
        Ok(())
    } else {
        Err(format!("`{}` is not a boot program", grant.boot_file))
    }
}

/// Reads the granted file from port 69 of the next-server, wherever the fabric leads that.
async fn read_tftp(activity: &Activity, grant: &Grant) -> Result<Vec<u8>, String> {
    if !activity.machine().has_network() {
        return Err("there is no link: the switch port is shut".into());
    }
    if grant.boot_file.is_empty() {
        return Err("the DHCP answer names no boot file".into());
    }
    let translated = activity.machine().around.fabric().tftp.map(relay::reachable);
    let server = translated.unwrap_or_else(|| SocketAddr::new(IpAddr::V4(grant.next_server), 69));
    tftp::read(server, &grant.boot_file).await.map(|file| file.head).map_err(|error| error.to_string())
}

async fn run_script(activity: &Activity, device: Target, grant: &Grant) -> Result<After, Cut> {
    if !grant.boot_file.starts_with("http://") {
        return Ok(After::Next(format!("iPXE was told `{}`, which is no address", grant.boot_file)));
    }
    let variables = variables(activity, grant);
    match fetch_script(activity, &grant.boot_file, variables).await {
        Ok(script) => {
            Run { activity, device, loaded: Loaded::default() }.scripts(&grant.boot_file, script).await
        }
        Err(why) => Ok(After::Next(why)),
    }
}

async fn fetch_script(
    activity: &Activity,
    url: &str,
    variables: BTreeMap<String, String>,
) -> Result<Script, String> {
    let text = http::text(activity.machine(), url).await;
    Script::new(&text.map_err(|error| format!("the script {}: {error}", without_key(url)))?, variables)
}

/// An address without its last segment, which may be a key.
fn without_key(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(front, _)| front)
}

fn variables(activity: &Activity, grant: &Grant) -> BTreeMap<String, String> {
    let machine = activity.machine();
    let identity = machine.identity();
    let mac = identity.macs.first().map(ToString::to_string).unwrap_or_default();
    let (spec, address) = (&machine.spec, grant.address.to_string());
    [
        ("net0/mac", mac.as_str()),
        ("mac", mac.as_str()),
        ("net0/ip", address.as_str()),
        ("ip", address.as_str()),
        ("uuid", identity.uuid.as_str()),
        ("serial", identity.serial.as_str()),
        ("manufacturer", spec.vendor.as_str()),
        ("product", spec.model.as_str()),
        ("next-server", &grant.next_server.to_string()),
        ("filename", grant.boot_file.as_str()),
        ("platform", if spec.boot_mode == BootMode::Uefi { "efi" } else { "pcbios" }),
        ("buildarch", if spec.boot_mode == BootMode::Uefi { "x86_64" } else { "i386" }),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .collect()
}

/// Scripts being executed by one machine.
struct Run<'a> {
    activity: &'a Activity,
    device: Target,
    loaded: Loaded,
}

impl Run<'_> {
    async fn scripts(&mut self, url: &str, script: Script) -> Result<After, Cut> {
        let mut stack = vec![(url.to_string(), script)];
        let mut steps = ipxe::STEPS;
        while let Some((base, script)) = stack.last_mut() {
            match script.next(&mut steps) {
                Do::Exit => {
                    stack.pop();
                    self.back(&mut stack, true);
                }
                Do::Fail(why) => {
                    stack.pop();
                    if stack.is_empty() {
                        return Ok(After::Next(format!("iPXE: {why}")));
                    }
                    self.back(&mut stack, false);
                }
                Do::Chain { url } => {
                    let (url, variables) = (absolute(base, &url), script.variables().clone());
                    let fetched = fetch_script(self.activity, &url, variables).await;
                    match fetched {
                        Ok(chained) if stack.len() < CHAIN_DEPTH => stack.push((url, chained)),
                        _ => self.back(&mut stack, false),
                    }
                }
                Do::Boot => return self.boot().await,
                Do::Sanboot => match installed::boot(self.activity, Target::Hdd).await? {
                    After::Next(_) => script.told(false),
                    after => return Ok(after),
                },
                Do::Reboot => return Ok(After::Reset),
                act => {
                    let succeeded = self.act(&base.clone(), act).await;
                    script.told(succeeded);
                }
            }
        }
        Ok(After::Next("the boot script exits".into()))
    }

    fn back(&self, stack: &mut [(String, Script)], succeeded: bool) {
        if let Some((_, script)) = stack.last_mut() {
            script.told(succeeded);
        }
    }

    /// Does what stays within iPXE.
    async fn act(&mut self, base: &str, act: Do) -> bool {
        match act {
            Do::Sleep(time) => tokio::time::sleep(time).await,
            Do::Free => self.loaded = Loaded::default(),
            Do::Kernel { url, arguments } => {
                let kernel = self.fetch(base, &url).await;
                self.loaded.kernel = kernel;
                self.loaded.arguments = arguments;
                return self.loaded.kernel.is_some();
            }
            Do::Initrd { url } => {
                let ramdisk = self.fetch(base, &url).await;
                let fetched = ramdisk.is_some();
                self.loaded.ramdisks.extend(ramdisk);
                return fetched;
            }
            Do::Echo(text) => tracing::debug!(node = %self.activity.machine().spec.node, %text, "iPXE"),
            _ => {}
        }
        true
    }

    async fn fetch(&self, base: &str, url: &str) -> Option<http::Payload> {
        let url = absolute(base, url);
        match http::payload(self.activity.machine(), &url).await {
            Ok(payload) => Some(payload),
            Err(error) => {
                tracing::debug!(node = %self.activity.machine().spec.node, %error, %url, "iPXE");
                None
            }
        }
    }

    /// Gives control to the kernel.
    async fn boot(&self) -> Result<After, Cut> {
        let activity = self.activity;
        activity.boot_starts(self.device, "agent")?;
        match self.loaded.start() {
            Ok(errand) => {
                activity.boot_ends("agent-running", None)?;
                agent::run(activity, &errand).await
            }
            Err(why) => {
                activity.boot_ends("failed", Some(&why))?;
                Ok(After::Logged)
            }
        }
    }
}

fn absolute(base: &str, url: &str) -> String {
    let joined = reqwest::Url::parse(base).and_then(|base| base.join(url));
    joined.map_or_else(|_| url.to_string(), |url| url.to_string())
}
