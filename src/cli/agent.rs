//! `agent`: this program inside a machine, where it takes orders from the controller whose boot ticket started it.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::view::{agent as shown, out};
use crate::world::agent::{Event, Left, Machine, Worker, url_of};
use crate::world::clock;
use std::path::PathBuf;

/// Take orders on this machine for the boot ticket that started it: say what it has, wipe its disks.
#[derive(clap::Args)]
pub struct Args {
    /// The URL of the boot ticket; default: rackwright.agent=URL on the kernel's command line.
    #[arg(long)]
    url: Option<String>,
    /// A file or device in place of this machine's disks, which are then out of reach; again for more.
    #[arg(long, value_name = "FILE")]
    disk: Vec<PathBuf>,
    /// Where proc, sys and dev of the machine are.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let url = url_of(args.url.as_deref(), &args.root).map_err(|error| {
        CliError::of(Exit::Usage, &error).help(
            "name the ticket with --url URL, as it stands on the command line of the machine's boot script",
        )
    })?;
    let stop = common::stop_on_signal();
    let machine = Machine::new(args.root, args.disk);
    let json = global.json;
    let events = Box::new(move |event: Event| match json {
        true => out::json(&event),
        false => out::note(&sentence(&event)),
    });
    let failed = |error| CliError::of(Exit::Fault, &error);
    let worker = Worker::new(url, machine, clock::uptime, stop, events).map_err(failed)?;
    Ok(match worker.work().await.map_err(failed)? {
        Left::Withdrawn => {
            if !json {
                out::note(&shown::left());
            }
            Exit::Done
        }
        Left::Stopped => Exit::Interrupted,
    })
}

fn sentence(event: &Event) -> String {
    match event {
        Event::Known { boot } => shown::known(boot),
        Event::Begun { order } => shown::begun(order.work.word(), &order.id),
        Event::Done { order } => shown::done(order.work.word(), &order.id),
        Event::Failed { order, why } => shown::failed(order.work.word(), &order.id, why),
        Event::Unknown { id, why } => shown::failed("order", id, why),
        Event::Waiting { why } => shown::waiting(why),
    }
}
