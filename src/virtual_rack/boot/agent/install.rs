//! An install: fetches its order, writes the image, says what it did.
//!
//! Owns the install from order to report. Does not boot what it wrote: the firmware does.

use super::super::super::disk::Writer;
use super::super::super::machine::activity::{Activity, After, Cut};
use super::super::super::machine::settings::Kept;
use super::super::http::{self, HttpError};
use super::super::report::{self, Patience};
use serde::Deserialize;
use serde_json::json;

/// The order of an install, as far as the agent reads it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Order {
    image: Image,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    kernel_params: Vec<String>,
    #[serde(default)]
    authorized_keys: Vec<String>,
    report: String,
    #[serde(default)]
    phone_home: Option<String>,
}

#[derive(Deserialize)]
struct Image {
    name: String,
    url: String,
    checksum: String,
    #[serde(default = "raw")]
    format: String,
}

fn raw() -> String {
    "raw".into()
}

/// Installs. It ends in a reset, or halts until the power goes.
pub async fn run(activity: &Activity, order_url: &str) -> Result<After, Cut> {
    let text = match report::get(activity.machine(), order_url).await {
        Ok(text) => text,
        Err(error) => {
            tracing::info!(node = %activity.machine().spec.node, %error, "the agent has no order and reboots");
            return Ok(After::Reset);
        }
    };
    let Ok(order) = serde_json::from_str::<Order>(&text) else {
        tracing::warn!(node = %activity.machine().spec.node, "the agent does not understand its order and reboots");
        return Ok(After::Reset);
    };
    activity.install_starts(&order.image.name, &order.image.checksum)?;
    match install(activity, &order).await? {
        Ok(()) => {
            report_installed(activity, &order).await?;
            Ok(After::Reset)
        }
        Err(why) => {
            activity.install_ends("failed", Some(&why))?;
            let event = json!({"event": "failed", "why": why});
            report_event(activity, &order.report, &event).await;
            activity.halted().await
        }
    }
}

async fn report_installed(activity: &Activity, order: &Order) -> Result<(), Cut> {
    let event = json!({
        "event": "installed",
        "image": {"name": order.image.name, "checksum": order.image.checksum},
        "identity": activity.machine().identity(),
    });
    report_event(activity, &order.report, &event).await;
    activity.install_ends("installed", None)
}

/// Reports; what the control side refuses for good (410: it has it already) is let rest.
async fn report_event(activity: &Activity, url: &str, event: &serde_json::Value) {
    match report::post(activity.machine(), url, event).await {
        Ok(()) | Err(HttpError::Status(410)) => {}
        Err(error) => {
            tracing::warn!(node = %activity.machine().spec.node, %error, "a report is not accepted")
        }
    }
}

/// Writes the image. The inner error is why the install failed.
async fn install(activity: &Activity, order: &Order) -> Result<Result<(), String>, Cut> {
    if order.image.format != "raw" {
        return Ok(Err(format!("the agent cannot write images of format `{}`", order.image.format)));
    }
    // The first byte written makes the old system unbootable.
    activity.wipe()?;
    let folder = activity.machine().folder.clone();
    let written = match folder.write() {
        Ok(mut writer) => match stream(activity, order, &mut writer).await {
            Ok(()) => writer.finish().map_err(|error| format!("the disk cannot be written: {error}")),
            Err(why) => Err(why),
        },
        Err(error) => Err(format!("the disk cannot be written: {error}")),
    };
    match written {
        Ok(content) => {
            let kept = Kept {
                hostname: order.hostname.clone(),
                kernel_params: order.kernel_params.clone(),
                authorized_keys: order.authorized_keys.clone(),
                phone_home: order.phone_home.clone(),
            };
            activity.installed(content, kept)?;
            Ok(Ok(()))
        }
        Err(why) => Ok(Err(why)),
    }
}

/// Streams the image through its digest onto the disk, going on where a broken connection left off.
async fn stream(activity: &Activity, order: &Order, writer: &mut Writer) -> Result<(), String> {
    let mut patience = Patience::new();
    loop {
        match stream_once(activity, order, writer).await {
            Ok(()) => break,
            Err(Broken::Http(error)) if error.is_transient() => {
                if !patience.pause().await {
                    return Err(format!("the image cannot be fetched: {error}"));
                }
            }
            Err(Broken::Http(error)) => return Err(format!("the image cannot be fetched: {error}")),
            Err(Broken::Disk(error)) => return Err(format!("the disk cannot be written: {error}")),
        }
    }
    let found = writer.checksum();
    if found.eq_ignore_ascii_case(&order.image.checksum) {
        Ok(())
    } else {
        Err(format!("the image has digest {found}, not {}", order.image.checksum))
    }
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

async fn stream_once(activity: &Activity, order: &Order, writer: &mut Writer) -> Result<(), Broken> {
    let mut request = http::linked(activity.machine())?.get(&order.image.url);
    if writer.bytes() > 0 {
        request = request.header("Range", format!("bytes={}-", writer.bytes()));
    }
    let mut response = match http::succeeded(request.send().await.map_err(HttpError::from)?) {
        // RFC 9110 section 15.5.17: nothing is left after what was written.
        Err(HttpError::Status(416)) if writer.bytes() > 0 => return Ok(()),
        other => other?,
    };
    if response.status().as_u16() != 206 && writer.bytes() > 0 {
        writer.restart()?;
    }
    let largest = activity.machine().spec.boot_bytes();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::from)? {
        if writer.bytes() + chunk.len() as u64 > largest {
            return Err(std::io::Error::other("the image is larger than the disk").into());
        }
        writer.append(&chunk)?;
    }
    Ok(())
}
